/** The one error that this package throws: what went wrong, said in a code and a sentence for people. */

export interface ErrorFacts {
  readonly code: string;
  readonly message: string;
  /** The HTTP status; 0 where no answer arrived at all. */
  readonly status: number;
  /** Seconds that the server asked to wait, where it did. */
  readonly retryAfter?: number | undefined;
  /** The run that stands in the way, for `run_in_progress`. */
  readonly runId?: string | undefined;
}

export class ChatError extends Error {
  override readonly name = 'ChatError';
  readonly code: string;
  readonly status: number;
  readonly retryAfter: number | undefined;
  readonly runId: string | undefined;

  constructor(facts: ErrorFacts, options?: ErrorOptions) {
    super(facts.message, options);
    this.code = facts.code;
    this.status = facts.status;
    this.retryAfter = facts.retryAfter;
    this.runId = facts.runId;
  }

  /** Whether the same call may well succeed a little later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** No answer arrived: the network, the server or a proxy between is away. */
export function unreachable(cause: unknown): ChatError {
  return new ChatError({ code: 'network', message: away(), status: 0 }, { cause });
}

/** Where no server answers, none speaks the reader's language: the page's own is spoken. */
function away(): string {
  const language = globalThis.document?.documentElement.lang || globalThis.navigator?.language;
  return /^pt\b/i.test(language ?? '')
    ? 'Não foi possível falar com o servidor.'
    : 'The server cannot be reached.';
}

/** Reads the error out of an answer that is not a success. */
export async function refusal(response: Response): Promise<ChatError> {
  const body = await fields(response);
  const waiting = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return new ChatError({
    code: text(body.code) ?? `http_${response.status}`,
    message: text(body.message) ?? `The server answered ${response.status}.`,
    status: response.status,
    retryAfter: Number.isFinite(waiting) ? waiting : undefined,
    runId: text(body.runId),
  });
}

async function fields(response: Response): Promise<Record<string, unknown>> {
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    // A proxy's own error page is not JSON; its status still tells what happened.
    return {};
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
