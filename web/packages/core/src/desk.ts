/** Where a run that waits gets what it waits for: leave to make a call, or the output of one. */
import { alone } from './alone.js';
import { pause } from './backoff.js';
import { asChatError, type Client } from './client.js';
import type { ChatError } from './errors.js';
import type { Store } from './store.js';
import { type ClientTools, outputOf } from './tools.js';
import type { Run, ToolOutput, WantedCall } from './types.js';

export interface DeskOptions {
  readonly client: Client;
  readonly store: Store;
  readonly tools: () => ClientTools;
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** The run may be told to wait a moment before its pause is stored; so often, and so late, is it looked for. */
const LOOKS_MS = [0, 100, 400, 1_500];

export class Desk {
  readonly #options: DeskOptions;
  readonly #client: Client;
  readonly #store: Store;
  /** The calls that are being made here, or were. */
  readonly #made = new Map<string, Promise<ToolOutput>>();

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#store = options.store;
  }

  /**
   * Finds out what the run waits for, and makes the calls that the page has tools for. `calls` are those that it
   * was said to wait for; they may have been answered long ago, when the saying is an old one.
   */
  async attend(runId: string, calls: readonly WantedCall[], signal: AbortSignal): Promise<void> {
    for (const call of calls) if (this.#toolOf(call)) this.#take(call.id);
    try {
      const run = await this.#look(runId, calls, signal);
      if (run === null) return;
      this.#reconcile(run);
      const own = (run.requiredAction?.calls ?? []).filter(call => this.#toolOf(call));
      await Promise.all(own.map(call => this.#make(runId, call, signal)));
    } catch (cause) {
      if (!signal.aborted) this.#fail(asChatError(cause));
    }
  }

  /** Allows or denies a call. */
  decide(callId: string, approve: boolean, signal: AbortSignal): Promise<void> {
    return this.#say(callId, runId => this.#client.decide(runId, callId, approve), signal);
  }

  /** Brings an output that somebody has typed. */
  bring(output: ToolOutput, signal: AbortSignal): Promise<void> {
    return this.#say(output.id, runId => this.#client.bringOutputs(runId, [output]), signal);
  }

  async #say(callId: string, say: (runId: string) => Promise<Run>, signal: AbortSignal): Promise<void> {
    const runId = this.#store.state.run?.id ?? null;
    if (runId === null) return;
    this.#take(callId);
    try {
      const run = await say(runId);
      if (!signal.aborted) this.#reconcile(run);
    } catch (cause) {
      if (signal.aborted) return;
      const error = asChatError(cause);
      // Somebody else was faster, or nothing was said: what the run waits for now is the server's to tell.
      await this.#client.getRun(runId).then(
        run => this.#reconcile(run),
        () => {},
      );
      if (!signal.aborted) this.#fail(error);
    }
  }

  /** The run as it waits, or goes on without us; null where the reader has left. */
  async #look(runId: string, calls: readonly WantedCall[], signal: AbortSignal): Promise<Run | null> {
    const { wait = pause } = this.#options;
    let run: Run | null = null;
    for (const ms of LOOKS_MS) {
      if (ms > 0) await wait(ms, signal).catch(() => {});
      if (signal.aborted) return null;
      run = await this.#client.getRun(runId);
      const goesOn = run.status === 'in_progress' || run.status === 'queued';
      if (!goesOn || this.#areAnswered(calls)) break;
    }
    return run;
  }

  #areAnswered(calls: readonly WantedCall[]): boolean {
    const ids = new Set(calls.map(call => call.id));
    const parts = this.#store.state.run?.parts ?? [];
    return !parts.some(part => part.type === 'call' && ids.has(part.id) && part.result === null);
  }

  #reconcile(run: Run): void {
    if (this.#store.state.run?.id !== run.id) return;
    const { calls = [], expiresAt = null } = run.requiredAction ?? {};
    this.#store.dispatch({ type: 'required', calls, expiresAt });
    for (const call of calls) if (this.#toolOf(call)) this.#take(call.id);
  }

  /** Makes a call once, whichever of the browser's windows sees to it, and brings its output. */
  async #make(runId: string, call: WantedCall, signal: AbortSignal): Promise<void> {
    const run = this.#toolOf(call);
    if (!run) return;
    const key = `${runId}/${call.id}`;
    await alone(`prosa/${key}`, signal, async () => {
      const now = await this.#client.getRun(runId);
      if (!now.requiredAction?.calls.some(({ id }) => id === call.id)) return;
      const making = this.#made.get(key) ?? outputOf(run, call, runId);
      this.#made.set(key, making);
      await this.#client.bringOutputs(runId, [await making]).catch(asIfBrought);
    });
  }

  #toolOf(call: WantedCall) {
    const tools = this.#options.tools();
    return call.needs === 'output' && Object.hasOwn(tools, call.name) ? tools[call.name]?.run : undefined;
  }

  #take(callId: string): void {
    this.#store.dispatch({ type: 'taken', callId });
  }

  #fail({ code, message, passing }: ChatError): void {
    this.#store.dispatch({ type: 'failed', failure: { code, message, retryable: passing, at: 'action' } });
  }
}

/** An output that is not wanted any more was brought by another, or the run was stopped: its events say which. */
function asIfBrought(cause: unknown): void {
  const { status } = asChatError(cause);
  if (status !== 404 && status !== 409) throw cause;
}
