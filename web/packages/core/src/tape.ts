/** The events of one run as a live line tells them, kept so that a reader who comes a moment later misses nothing. */
import { isEnd, type RunEvent } from './events.js';

export class Tape {
  readonly #events: RunEvent[] = [];
  readonly #readers = new Set<() => void>();
  #cut = false;

  /** Takes the next event; one that was told before, as after a reconnection, is passed over. */
  push(event: RunEvent): void {
    const last = this.#events.at(-1)?.seq ?? 0;
    if (event.seq <= last) return;
    this.#events.push(event);
    this.#wake();
  }

  /** The line is lost: readers go on elsewhere. */
  cut(): void {
    this.#cut = true;
    this.#wake();
  }

  /** Whether a reader who has all up to `seq` can go on here. */
  joins(seq: number): boolean {
    const [first] = this.#events;
    return !this.#cut && first !== undefined && first.seq <= seq + 1;
  }

  /** The events after `seq`, up to the run's end or to where the line was lost. */
  async *after(seq: number, signal: AbortSignal): AsyncGenerator<RunEvent, void> {
    let at = 0;
    for (;;) {
      const event = this.#events[at];
      if (event) {
        at += 1;
        if (event.seq <= seq) continue;
        yield event;
        if (isEnd(event)) return;
      } else {
        if (this.#cut || signal.aborted) return;
        await this.#next(signal);
      }
    }
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        this.#readers.delete(wake);
        resolve();
      };
      signal.addEventListener('abort', wake);
      this.#readers.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#readers]) wake();
  }
}
