// A folder as one .zip, so that it can be sent as one file. Stored, not compressed: drawings are compressed already.
// The format is PKWARE's APPNOTE 6.3, without ZIP64: at most 65,535 files and 4 GiB.

import { say } from "../i18n/words.js";

const MOST_FILES = 65_535;
const MOST_BYTES = 2 ** 32 - 1;
const UTF8 = 0x0800; // flag: names are UTF-8
const VERSION = 20; // 2.0, for folders
const STORED = 0;
const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_RECORD = 0x06054b50;
const FIRST_DAY = 0x21; // 1980-01-01; times of drawings are nobody's business

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** @typedef {{ name: Uint8Array, size: number, crc: number }} Entry  A file in the archive; name: UTF-8. */

/** Zip a folder. Returns a Blob that refers to the files rather than holding them. Throws if it is too large.
 * @param {File[]} files  of a folder chooser; the first part of webkitRelativePath, the folder itself, is left out
 * @param {(done: number) => void} onProgress  called with the number of files that are done
 * @param {AbortSignal} signal
 */
export async function zipFolder(files, onProgress, signal) {
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  if (files.length > MOST_FILES || bytes > 0.95 * MOST_BYTES) throw new Error(say("folderTooLarge"));
  /** @type {BlobPart[]} */
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const [i, file] of files.entries()) {
    signal.throwIfAborted();
    const name = new TextEncoder().encode(file.webkitRelativePath.split("/").slice(1).join("/"));
    const entry = { name, size: file.size, crc: computeCrc32(new Uint8Array(await file.arrayBuffer())) };
    const header = packLocalHeader(entry);
    parts.push(header, file);
    directory.push(packCentralHeader(entry, offset));
    offset += header.byteLength + file.size;
    onProgress(i + 1);
  }
  return new Blob([...parts, ...directory, packEndRecord(directory, offset)], { type: "application/zip" });
}

/** @param {Uint8Array} bytes */
function computeCrc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Return what stands before the bytes of a file.
 * @param {Entry} entry
 */
const packLocalHeader = (entry) => pack([...splitInHalves(LOCAL_HEADER), ...listFields(entry)], entry.name);

/** Return the entry of a file in the list at the end.
 * @param {Entry} entry
 * @param {number} offset  of the local header
 */
const packCentralHeader = (entry, offset) =>
  pack(
    [...splitInHalves(CENTRAL_HEADER), VERSION, ...listFields(entry), 0, 0, 0, 0, 0, ...splitInHalves(offset)],
    entry.name,
  );

/** Return what ends the archive.
 * @param {Uint8Array[]} directory
 * @param {number} offset  of the directory
 */
function packEndRecord(directory, offset) {
  const { length } = directory;
  const size = directory.reduce((sum, entry) => sum + entry.byteLength, 0);
  return pack(
    [...splitInHalves(END_RECORD), 0, 0, length, length, ...splitInHalves(size), ...splitInHalves(offset), 0],
    new Uint8Array(),
  );
}

/** Return the fields that both headers have, as 16-bit numbers.
 * @param {Entry} entry
 */
const listFields = ({ name, size, crc }) => [
  ...[VERSION, UTF8, STORED, 0, FIRST_DAY],
  ...splitInHalves(crc),
  ...splitInHalves(size), // as it is stored
  ...splitInHalves(size), // as it was
  ...[name.length, 0],
];

/** Return a 32-bit number as two 16-bit numbers, the lower one first.
 * @param {number} number
 */
const splitInHalves = (number) => [number & 0xffff, number >>> 16];

/** Return 16-bit numbers, the lower byte first, and then bytes.
 * @param {number[]} numbers
 * @param {Uint8Array} bytes
 */
function pack(numbers, bytes) {
  const packed = new Uint8Array(2 * numbers.length + bytes.length);
  const view = new DataView(packed.buffer);
  numbers.forEach((number, i) => view.setUint16(2 * i, number, true));
  packed.set(bytes, 2 * numbers.length);
  return packed;
}
