/** Whom limits hold for, in words. */
import type { Limit } from './forms.js';
import type { OperatorTexts } from './texts.js';

export function whoOf(texts: OperatorTexts, { scope, subject }: Pick<Limit, 'scope' | 'subject'>): string {
  if (scope === 'everyone') return texts.scopes.everyone;
  if (subject !== '') return `${texts.scopes[scope]} ${subject}`;
  return scope === 'user' ? texts.everyUser : texts.everyClient;
}
