/** Prompts that are kept to be used again, with places for what changes. */

export type VariableType = 'text' | 'multiline' | 'number' | 'boolean' | 'choice' | 'date';

/** A place in a template, written `{{name}}` there. */
export interface TemplateVariable {
  readonly name: string;
  readonly label: string | null;
  readonly type: VariableType;
  readonly required: boolean;
  /** What stands there where nothing is given. */
  readonly default: string | null;
  /** What can be chosen, for the type `choice`. */
  readonly choices: readonly string[];
}

export interface Template {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly content: string;
  readonly variables: readonly TemplateVariable[];
  /** Whether everybody of the caller's client has it. */
  readonly shared: boolean;
  readonly clientId: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type NewTemplate = Pick<Template, 'name' | 'content'> &
  Partial<Pick<Template, 'description' | 'variables' | 'shared'>>;

export type TemplateChange = Partial<NewTemplate>;

export type TemplateValues = Readonly<Record<string, string | number | boolean | null>>;

const PLACE = /\{\{\s*([\p{L}_][\p{L}\p{N}_]{0,63})\s*\}\}/gu;

/** The names of the places in a text, each once, in their order. */
export function placesOf(content: string): readonly string[] {
  return [...new Set(Array.from(content.matchAll(PLACE), ([, name = '']) => name))];
}
