// A folder as one .zip, so that it can be sent as one file. Stored, not compressed: drawings are compressed already.
// The format is PKWARE's APPNOTE 6.3, without ZIP64: at most 65,535 files and 4 GiB.

import { say } from "../words.js";

const MOST_FILES = 65_535;
const MOST_BYTES = 2 ** 32 - 1;
const UTF8 = 0x0800; // flag: names are UTF-8
const VERSION = 20; // 2.0, for folders
const STORED = 0;
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const FIRST_DAY = 0x21; // 1980-01-01; times of drawings are nobody's business

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

// files: of a folder chooser, with webkitRelativePath, whose first part, the folder itself, is left out.
// onProgress(files done). A Blob that refers to the files, rather than holding them.
export async function zipped(files, onProgress, signal) {
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  if (files.length > MOST_FILES || bytes > 0.95 * MOST_BYTES) throw new Error(say("folderTooLarge"));
  const parts = [];
  const entries = [];
  let offset = 0;
  for (const [i, file] of files.entries()) {
    signal.throwIfAborted();
    const name = new TextEncoder().encode(file.webkitRelativePath.split("/").slice(1).join("/"));
    const facts = { name, size: file.size, crc: crc32(new Uint8Array(await file.arrayBuffer())), offset };
    const header = record(LOCAL, [], facts, []);
    parts.push(header, file);
    entries.push(record(CENTRAL, [VERSION], facts, [0, 0, 0, 0, 0, facts.offset & 0xffff, facts.offset >>> 16]));
    offset += header.byteLength + file.size;
    onProgress(i + 1);
  }
  return new Blob([...parts, ...entries, ending(entries, offset)], { type: "application/zip" });
}

// Of a file, as it stands before its bytes (LOCAL) and in the list at the end (CENTRAL). before, after: 16-bit fields that only the list has.
function record(signature, before, { name, size, crc }, after) {
  const words = [signature & 0xffff, signature >>> 16, ...before, VERSION, UTF8, STORED, 0, FIRST_DAY,
    crc & 0xffff, crc >>> 16, size & 0xffff, size >>> 16, size & 0xffff, size >>> 16, name.length, 0, ...after];
  return joined(words, name);
}

function ending(entries, offset) {
  const size = entries.reduce((sum, entry) => sum + entry.byteLength, 0);
  return joined([END & 0xffff, END >>> 16, 0, 0, entries.length, entries.length, size & 0xffff, size >>> 16, offset & 0xffff, offset >>> 16, 0], new Uint8Array());
}

// 16-bit numbers, the lower byte first, then bytes.
function joined(words, bytes) {
  const made = new Uint8Array(2 * words.length + bytes.length);
  const view = new DataView(made.buffer);
  words.forEach((word, i) => view.setUint16(2 * i, word, true));
  made.set(bytes, 2 * words.length);
  return made;
}
