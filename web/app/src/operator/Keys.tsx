/** The keys that open providers, and the keys that open Prosa. */
import { ApiKeys } from './ApiKeys.js';
import { ProviderKeys } from './ProviderKeys.js';
import type { SectionProps } from './sections.js';

export function Keys(props: SectionProps) {
  return (
    <>
      <ProviderKeys {...props} />
      <ApiKeys {...props} />
    </>
  );
}
