// Errors in the reader's language: by their stable reason, else by the field of the request that is wrong. For what is
// not listed the server's own message remains, without the name of the field, which nobody sees on a page.

import { isServerLanguage, say } from "../i18n/words.js";

/** @type {Record<string, import("../i18n/words.js").Word>} */
const REASONS = {
  WORKSPACE_EXISTS: "workspaceExists",
  WORKSPACE_NOT_FOUND: "workspaceGone",
  WORKSPACE_CORRUPT: "workspaceDamaged",
  WORKSPACE_TOO_NEW: "workspaceTooNew",
  SAMPLE_NOT_FOUND: "sampleGone",
  SNAPSHOT_NOT_FOUND: "snapshotGone",
  DATASET_NOT_FOUND: "datasetGone",
  DATASET_IN_USE: "datasetInUse",
  MODEL_NOT_FOUND: "modelGone",
  JOB_NOT_FOUND: "jobGone",
  JOB_NOT_OVER: "jobNotOver",
  JOBS_FULL: "jobsFull",
  NOTHING_TO_UNDO: "nothingToUndo",
  REVISION_MISMATCH: "movedOn",
  VARIANT_CYCLE: "formsInCircle",
  ALREADY_LINKED: "alreadyForm",
  HAS_FORMS: "hasForms",
  NOT_LINKED: "notForm",
  WORKSPACE_BUSY: "tooBusy",
  WORKSPACE_LOCKED: "workspaceLocked",
  UPLOAD_INTERRUPTED: "uploadInterrupted",
  PREVIEW_TIMEOUT: "previewTimeout",
  BUILT_IN_MODEL: "modelBuiltIn",
  SLOW_START: "slowStart",
  QUEUE_FULL: "tooBusy",
  RATE_EXCEEDED: "rateExceeded",
  TOO_MANY_TRANSFERS: "tooBusy",
  TOO_MANY_STREAMS: "tooBusy",
  CALLER_IDLE: "noAnswer",
  TOO_MANY_UPLOADS: "tooManyUploads",
  DISK_FULL: "diskFull",
  QUOTA_EXCEEDED: "quotaExceeded",
  DISK_READ_ONLY: "diskReadOnly",
  TOO_MANY_OPEN_FILES: "tooManyFiles",
  MEMORY_EXHAUSTED: "memoryExhausted",
  STORAGE_FAILED: "storageFailed",
  WRITING_STOPPED: "writingStopped",
  DATA_DIRECTORY_TAKEN: "directoryTaken",
  DATABASE_UNAVAILABLE: "databaseAway",
  NOT_SHARED: "notShared",
  REQUEST_ENTITY_TOO_LARGE: "tooLarge",
  PAGE_OUTDATED: "pageTooOld",
  TOKEN_MISSING: "tokenNeeded",
  TOKEN_WRONG: "tokenWrong",
  TOKEN_EXPIRED: "tokenOver",
  TOKEN_REVOKED: "tokenOver",
  USER_UNKNOWN: "userUnknown",
  TOO_MANY_TRIES: "tooManyTries",
  ROLE_TOO_LOW: "notAllowed",
  WORKSPACE_NOT_ALLOWED: "notAllowedHere",
  INTERNAL: "serverFault",
  DOCUMENT_ENCRYPTED: "documentEncrypted",
  READING_NOT_FOUND: "readingGone",
  READING_DAMAGED: "readingDamaged",
  GLYPH_NOT_FOUND: "glyphGone",
  READING_NOT_CORRECTABLE: "readingFixed",
  READER_FAILED: "readerFailed",
  READER_TIMEOUT: "readerTimeout",
  NO_SERVER: "noAnswer",
  STOPPING: "noAnswer",
};

// Reasons whose message from the server says more than these words, but in English alone.
/** @type {Record<string, import("../i18n/words.js").Word>} */
const DETAILED_REASONS = {
  DATASET_UNUSABLE: "datasetUnusable",
  DATASET_DAMAGED: "datasetDamaged",
  JOB_DAMAGED: "jobDamaged",
  CONFLICTING_LABELS: "conflictingLabels",
  MODEL_DAMAGED: "modelUnusable",
  MODEL_DOES_NOT_FIT: "modelUnusable",
  MODEL_IN_USE: "modelInUse",
  TOO_MANY_LEARNERS: "tooManyLearners",
  PROCESS_KILLED: "outOfMemory",
  OUT_OF_MEMORY: "outOfMemory",
  PROCESS_ENDED: "processEnded",
  DIVERGED: "diverged",
  TORCH_NOT_INSTALLED: "torchMissing",
  TENSORBOARD_NOT_INSTALLED: "tensorboardMissing",
  BACKBONE_WEIGHTS_MISSING: "backboneMissing",
  DOCUMENT_UNREADABLE: "documentUnreadable",
  DOCUMENT_TOO_LARGE: "documentTooLarge",
  ENGINE_NOT_INSTALLED: "engineNotInstalled",
  LANGUAGE_NOT_INSTALLED: "engineNotInstalled",
  MODE_UNAVAILABLE: "engineNotInstalled",
};

// Names of fields, whole or up to the first dot.
/** @type {Record<string, import("../i18n/words.js").Word>} */
const FIELDS = {
  label: "labelRefused",
  form: "labelRefused",
  canonical: "labelRefused",
  variant_of: "labelRefused",
  file: "fileRefused",
  file_name: "fileTypeRefused",
  name: "nameRefused",
  workspace: "nameRefused",
  image: "pictureRefused",
  "glyph.image": "pictureRefused",
  glyph: "drawingRefused",
  settings: "settingRefused",
};

const WITHOUT_ANSWER = [0, 504]; // statuses of HTTP

/** Return what went wrong, in words.
 * @param {{ message: string, reason?: string, field?: string, status?: number, callId?: string }} error  of a call, or of an
 *   item of one. callId: is told with what the reader cannot mend, for whoever looks into the server's log.
 * @returns {string}
 */
export function explain({ message, reason = "", field = "", status = 400, callId = "" }) {
  if (WITHOUT_ANSWER.includes(status)) return say("noAnswer");
  const error = describe(message, reason, field);
  return status >= 500 && callId ? say("withRequest", { error, request: callId }) : error;
}

/**
 * @param {string} message
 * @param {string} reason
 * @param {string} field
 */
function describe(message, reason, field) {
  const detailed = isServerLanguage() ? undefined : DETAILED_REASONS[reason];
  const error = field && message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
  const word = REASONS[reason] ?? detailed ?? FIELDS[field] ?? FIELDS[field.split(".")[0]];
  return word ? say(word, { error }) : error;
}
