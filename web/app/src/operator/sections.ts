/** The parts of the operator's view, and what each of them is given. */
import type { Client } from '@prosa/core';
import type { OperatorTexts } from './texts.js';

export interface SectionProps {
  readonly texts: OperatorTexts;
  readonly language: string;
  readonly client: Client;
}

export const SECTIONS = [
  'overview',
  'cost',
  'errors',
  'runs',
  'limits',
  'keys',
  'people',
  'alerts',
  'audit',
] as const;

export type Section = (typeof SECTIONS)[number];

export function sectionOf(name: string | null): Section {
  return SECTIONS.find(each => each === name) ?? 'overview';
}
