// What was refused, in the reader's language: by its stable reason, else by the field of the request that is wrong. What
// is not listed keeps the server's words, without the name of the field, which nobody sees on a page.

import { say } from "./words.js";

const REASONS = {
  WORKSPACE_EXISTS: "workspaceExists",
  WORKSPACE_NOT_FOUND: "workspaceGone",
  WORKSPACE_CORRUPT: "workspaceDamaged",
  WORKSPACE_TOO_NEW: "workspaceTooNew",
  SAMPLE_NOT_FOUND: "sampleGone",
  SNAPSHOT_NOT_FOUND: "snapshotGone",
  NOTHING_TO_UNDO: "nothingToUndo",
  REVISION_MISMATCH: "movedOn",
  VARIANT_CYCLE: "formsInCircle",
  ALREADY_LINKED: "alreadyForm",
  HAS_FORMS: "hasForms",
  NOT_LINKED: "notForm",
  QUEUE_FULL: "tooBusy",
  TOO_MANY_TRANSFERS: "tooBusy",
  DISK_FULL: "diskFull",
  DISK_READ_ONLY: "diskReadOnly",
  REQUEST_ENTITY_TOO_LARGE: "tooLarge",
  INTERNAL: "serverFault",
};
const FIELDS = {
  label: "labelRefused",
  form: "labelRefused",
  canonical: "labelRefused",
  variant_of: "labelRefused",
  name: "nameRefused",
  workspace: "nameRefused",
  image: "pictureRefused",
  "glyph.image": "pictureRefused",
};

// An error of a call, or of one item of it.
export function explain({ reason, field = "", message }) {
  const word = REASONS[reason] ?? FIELDS[field] ?? (field.startsWith("glyph") ? "drawingRefused" : "");
  if (word) return say(word);
  return field && message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
}
