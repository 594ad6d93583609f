/** One line on stderr that tells of long work, on a terminal only, and is gone when the work has ended. */
import type { Stream } from './terminal.js';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;
/** What is done sooner needs no telling. */
const AFTER_MS = 300;
const BAR_CELLS = 24;
const CLEAR = '\r\u001b[K';

export class Activity {
  readonly #stream: Stream;
  #text: string;
  #timer: NodeJS.Timeout | undefined;
  #frame = 0;
  #shown = false;

  constructor(stream: Stream, text: string) {
    this.#stream = stream;
    this.#text = text;
    if (stream.isTTY) this.#timer = setTimeout(() => this.#draw(), AFTER_MS);
  }

  tell(text: string): void {
    this.#text = text;
  }

  /** From 0 to 1. */
  progress(label: string, done: number): void {
    const filled = Math.round(Math.min(1, Math.max(0, done)) * BAR_CELLS);
    this.#text = `${label} ${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)} ${Math.floor(done * 100)} %`;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#shown) this.#stream.write(CLEAR);
    this.#shown = false;
  }

  #draw(): void {
    const width = (this.#stream.columns ?? 80) - 3;
    this.#stream.write(`${CLEAR}${FRAMES[this.#frame % FRAMES.length]} ${this.#text.slice(0, width)}`);
    this.#frame += 1;
    this.#shown = true;
    this.#timer = setTimeout(() => this.#draw(), FRAME_MS);
  }
}
