// What the page's server takes and answers: the dataclasses of haleganada_client as JSON. Times are ISO 8601 texts, bytes
// are left out. Only the fields that the page uses stand here; a test compares them with the dataclasses.

/** Points in CSS px of the slate and ms since the drawing began; pressure, 0 to 1, where the pen has it. */
interface Stroke {
  x: number[];
  y: number[];
  time_ms: number[];
  pressure?: number[];
}

interface Candidate {
  label: string;
  probability: number;
  canonical: string;
  forms: string[];
  code_points: string[];
}

interface Prediction {
  candidates: Candidate[];
  unknown_probability: number;
  decision: "recognized" | "unsure" | "unknown" | "nothing_taught";
  prediction_id: string;
  model: string;
}

interface Taught {
  revision: number;
}

interface Correction {
  taught: Taught;
}

interface ItemError {
  reason: string;
  message: string;
  field: string;
}

interface RefusedItem {
  item: string;
  error: ItemError;
}

interface Sample {
  sample_id: number;
  label: string;
  revision: number;
  predicted: string;
  create_time: string;
}

interface SamplePage {
  samples: Sample[];
  next_page_token: string;
  revision: number;
}

interface Snapshot {
  snapshot_id: string;
  name: string;
  create_time: string;
  samples_total: number;
  size_bytes: number;
  trash: boolean;
  kind: string;
}

interface ImportReport {
  imported: number;
  duplicates: number;
  refused: RefusedItem[];
  refused_total: number;
}

interface OnlineStatus {
  revision: number | null;
  labels_known: number;
  samples_learned: number;
  samples_left: number;
  rebuilding: boolean;
  error: string;
}

interface WorkspaceInfo {
  name: string;
  corrupt: boolean;
}

interface LabelStats {
  label: string;
  canonical: string;
  samples: number;
  newest_sample_id: number;
}

interface HistoryPoint {
  loss: number;
  recognized: boolean;
  new_label: boolean;
}

interface ConfusedPair {
  label: string;
  predicted: string;
  count: number;
}

interface TeachNext {
  label: string;
  confused_with: string;
}

interface Suspect {
  sample_id: number;
  label: string;
  looks_like: string;
}

interface NearDuplicate {
  sample_id: number;
  label: string;
  other_sample_id: number;
  other_label: string;
}

interface MethodLatency {
  method: string;
  p50_ms: number;
}

interface Stats {
  revision: number;
  samples_total: number;
  labels_known: number;
  average_loss: number | null;
  accuracy: number | null;
  corrections: number;
  labels: LabelStats[];
  history: HistoryPoint[];
  confused_pairs: ConfusedPair[];
  teach_next: TeachNext[];
  suspects: Suspect[];
  near_duplicates: NearDuplicate[];
  latencies: MethodLatency[];
  device: string;
  versions: Record<string, string>;
  size_bytes: number;
  samples_to_embed: number;
}

interface DatasetLabel {
  label: string;
  train: number;
  validation: number;
  test: number;
}

type PartName = "train" | "validation" | "test";

interface RepeatedItem {
  item: string;
  kept: string;
  part: PartName | "";
  kept_part: PartName | "";
}

interface DatasetNote {
  reason: string;
  message: string;
  labels: string[];
}

interface Dataset {
  dataset_id: string;
  name: string;
  create_time: string;
  sha256: string;
  train: number;
  validation: number;
  test: number;
  labels: DatasetLabel[];
  labels_total: number;
  writers: number;
  refused: RefusedItem[];
  refused_total: number;
  leaks: number;
  duplicates: number;
  imbalance: number;
  size_bytes: number;
  leaked: RepeatedItem[];
  duplicated: RepeatedItem[];
  notes: DatasetNote[];
  unknown: DatasetLabel;
  damage: string;
}

interface Model {
  model_id: string;
  name: string;
  preset: string;
  create_time: string | null;
  labels: string[];
  labels_total: number;
  parameters: number;
  size_bytes: number;
  sha256: string;
  dataset_sha256: string;
  dataset_name: string;
  validation_accuracy: number | null;
  test_accuracy: number | null;
  input_size_px: number;
  latency_ms: number | null;
  active_in: string[];
  supports_online_learning: boolean;
  damage: string;
  online_in: string[];
}

interface Preset {
  name: string;
  description: string;
  input_size_px: number;
  parameters: number;
  pretrained: boolean;
  epochs: number;
  batch_size: number;
  learning_rate: number;
  supports_online_learning: boolean;
  needs_network: boolean;
}

interface TrainingSettings {
  epochs?: number | null;
  batch_size?: number | null;
  learning_rate?: number | null;
  weight_decay?: number | null;
  optimizer?: string | null;
  schedule?: string | null;
  patience?: number | null;
  accumulation?: number | null;
  mixed_precision?: boolean | null;
  frozen_epochs?: number | null;
  augment?: boolean | null;
  seed?: number | null;
  checkpoint_every?: number | null;
  tensorboard?: boolean | null;
  image_size_px?: number | null;
  workers?: number | null;
  rotation_degrees?: number | null;
  shift?: number | null;
  scale?: number | null;
  tilt?: number | null;
  bend?: number | null;
  ink?: number | null;
  class_weights?: string | null;
}

interface JobProgress {
  stage: string;
  done: number;
  total: number;
  eta_seconds: number;
  message: string;
}

interface EpochMetrics {
  epoch: number;
  train_loss: number;
  train_accuracy: number;
  validation_loss: number;
  validation_accuracy: number;
  duration_seconds: number;
}

interface JobFile {
  name: string;
  size_bytes: number;
}

interface TrainingJob {
  preset: string;
  dataset_id: string;
  dataset_name: string;
  model_name: string;
  requested_settings: TrainingSettings;
  settings: TrainingSettings | null;
  epochs: EpochMetrics[];
  model_id: string;
}

interface EvaluationModel {
  name: string;
}

interface EvaluationJob {
  models: EvaluationModel[];
  dataset_name: string;
  quick: boolean;
  result: EvaluationResult | null;
}

interface Job {
  job_id: string;
  state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  cancelling: boolean;
  create_time: string;
  start_time: string | null;
  end_time: string | null;
  progress: JobProgress;
  error: string;
  error_reason: string;
  files: JobFile[];
  training: TrainingJob | null;
  evaluation: EvaluationJob | null;
  queue_position: number;
}

interface EvaluationResult {
  dataset: EvaluatedPart;
  notes: string[];
  models: ModelMetrics[];
  disagreements: ModelDisagreements | null;
}

interface EvaluatedPart {
  name: string;
  part: PartName;
  drawings: number;
  labels: number;
}

interface Interval {
  low: number;
  high: number;
}

interface AverageMetrics {
  f1_score: number;
}

interface ClassMetrics {
  label: string;
  precision: number;
  recall: number;
  f1_score: number;
  support: number;
}

interface WorstClass {
  label: string;
  accuracy: number;
  correct: number;
  support: number;
  mistaken_for: string;
  mistaken_count: number;
}

interface ClassConfusion {
  first_label: string;
  second_label: string;
  first_as_second: number;
  second_as_first: number;
}

interface UnknownClasses {
  count: number;
}

interface UnknownDrawings {
  drawings: number;
  rejected: number;
}

interface ModelMetrics {
  model_id: string;
  display_name: string;
  accuracy: number;
  accuracy_interval: Interval | null;
  drawings: number;
  unknown_classes: UnknownClasses;
  unknown_drawings: UnknownDrawings;
  top5_accuracy: number | null;
  expected_calibration_error: number | null;
  latency_ms: number | null;
  macro: AverageMetrics | null;
  weighted: AverageMetrics | null;
  classes: ClassMetrics[];
  worst_classes: WorstClass[];
  confusions: ClassConfusion[];
  files: string[];
}

interface ModelDisagreements {
  count: number;
  share: number;
  any_correct: number;
  files: string[];
}

// Not dataclasses: what the page's own routes put together.

/** The model that a workspace answers with, where that is not its few-shot head. behind: it must still learn something. */
interface ActiveModel {
  model_id: string;
  name: string;
  online: OnlineStatus | null;
  behind: boolean;
}

/** A network that learns online as a workspace's active model. */
interface OnlineModel extends ActiveModel {
  online: OnlineStatus;
}

/** A DatasetPreview whose sheet is a data URL. */
interface DatasetSheet {
  labels: string[];
  input_size_px: number;
  sheet: string;
}

interface Engine {
  engine: string;
  display_name: string;
  version: string;
  languages: string[];
  installed: boolean;
  install_hint: string;
}

interface Reading {
  reading_id: string;
  file_name: string;
  pages: number[];
  excerpt: string;
  create_time: string;
  expire_time: string | null;
  size_bytes: number;
  damaged: boolean;
  workspace: string;
}

/** A line, a word or a glyph. */
interface TextRegion {
  text: string;
  polygon: [number, number][];
  confidence: number | null;
}

interface GlyphCandidate {
  text: string;
  probability: number;
}

interface TextGlyph extends TextRegion {
  candidates: GlyphCandidate[];
  glyph_id: number | null;
  settled: boolean;
}

interface TextWord extends TextRegion {
  glyphs: TextGlyph[];
}

interface TextLine extends TextRegion {
  words: TextWord[];
  engine: string;
}

interface TextBlock {
  lines: TextLine[];
}

interface PageReading {
  page: number;
  width: number;
  height: number;
  text: string;
  blocks: TextBlock[];
  turn_degrees: number | null;
  elapsed_ms: number;
  revision: number;
  questions: GlyphQuestion[];
}

interface GlyphQuestion {
  glyph_id: number;
  similar_glyph_ids: number[];
  reason: "unknown" | "unsure";
}
