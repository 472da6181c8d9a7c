/** The tools of the page's own: how the model is told of them, and what a call of one gives. */
import type { ToolForm, ToolOutput, WantedCall } from './types.js';

export interface ToolContext {
  readonly runId: string;
  readonly callId: string;
}

export interface ClientTool {
  readonly description?: string;
  /** The JSON Schema of the arguments, an object's. The server checks them by it. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /**
   * Does what the model asked for. What it returns is told to the model, text as it is and the rest as JSON; what
   * it throws, too. Without it, the person at the page is asked for the output.
   */
  readonly run?: ((args: never, context: ToolContext) => unknown) | undefined;
}

/** By their names, of which each has at most 64 letters, digits, dashes and underscores. */
export type ClientTools = Readonly<Record<string, ClientTool>>;

/** The longest output that the server takes. */
const LONGEST = 400_000;

export function toolForms(tools: ClientTools): readonly ToolForm[] {
  return Object.entries(tools).map(([name, { description, parameters }]) => ({
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
  }));
}

/** Makes a call; whatever goes wrong is its output. */
export async function outputOf(
  run: NonNullable<ClientTool['run']>,
  call: WantedCall,
  runId: string,
): Promise<ToolOutput> {
  const { id } = call;
  try {
    const args: unknown = JSON.parse(call.arguments || '{}');
    const output = asText(await run(args as never, { runId, callId: id }));
    if (output.length <= LONGEST) return { id, output };
    return { id, output: `The output has more than ${LONGEST} characters.`, isError: true };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { id, output: plain(reason).slice(0, LONGEST) || 'The tool failed.', isError: true };
  }
}

function asText(value: unknown): string {
  return plain(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
}

/** The server keeps no NUL. */
function plain(text: string): string {
  return text.replaceAll('\0', '');
}
