// The page itself: elements of the templates by id, and what modules hand to each other.

/** Elements that are more than an HTMLElement. */
interface PageElements {
  board: HTMLCanvasElement;
  pen: HTMLInputElement;
  file: HTMLInputElement;
  "undo-stroke": HTMLButtonElement;
  clear: HTMLButtonElement;
  undo: HTMLButtonElement;
  teach: HTMLFormElement;
  label: HTMLInputElement;
  "is-form": HTMLInputElement;
  canonical: HTMLSelectElement;
  workspace: HTMLSelectElement;
  language: HTMLSelectElement;
  "to-models": HTMLAnchorElement;
  dialog: HTMLDialogElement;
}

/** A drawing as it is sent: strokes, or a picture as a data URL. */
type Drawing = { image: string } | { ink: { width: number; height: number; pen_width: number; strokes: Stroke[] } };

/** Carry out a change and show the page anew; resolves to true if it was made. */
type Change = <T>(run: () => Promise<T>, message: string | ((result: T) => string)) => Promise<boolean>;

/** Fill `view` with what the address names; stop whatever goes on when `life` is over. */
type ShowView = (view: HTMLElement, id: string, life: AbortSignal) => Promise<void>;
