// The page itself: elements of the templates by id, and what modules hand to each other.

/** Elements that are more than an HTMLElement. */
interface PageElements {
  board: HTMLCanvasElement;
  pen: HTMLInputElement;
  file: HTMLInputElement;
  folder: HTMLInputElement;
  "undo-stroke": HTMLButtonElement;
  clear: HTMLButtonElement;
  "redo-stroke": HTMLButtonElement;
  "take-back": HTMLButtonElement;
  teach: HTMLFormElement;
  label: HTMLInputElement;
  "is-form": HTMLInputElement;
  canonical: HTMLSelectElement;
  workspace: HTMLSelectElement;
  language: HTMLSelectElement;
  "to-models": HTMLAnchorElement;
  dialog: HTMLDialogElement;
  token: HTMLInputElement;
}

/** A drawing as it is sent: strokes, or a picture as a data URL. */
type Drawing = { image: string } | { ink: { width: number; height: number; pen_width: number; strokes: Stroke[] } };

/** Carry out a change and show the page anew; resolves to true if it was made. */
type Change = <T>(run: () => Promise<T>, message: string | ((result: T) => string)) => Promise<boolean>;

/** Carry out a change that can be taken back, as Change does; picture: of the drawing that it is about. */
type Undoable = (run: () => Promise<{ revision: number }>, message: string, picture?: Node | null) => Promise<boolean>;

/** Fill `view` with what the address names; stop whatever goes on when `life` is over. */
type ShowView = (view: HTMLElement, id: string, life: AbortSignal) => Promise<void>;

/** How far the server is with a document. */
type ReadingProgress = { pages_done: number; pages_total: number };
