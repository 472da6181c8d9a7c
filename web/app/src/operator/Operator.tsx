/** The operator's view: loaded only for whoever has the role, and only when it is opened. */
import './operator.css';
import { ShortcutDialog, useProsa, useShortcuts } from '@prosa/react';
import { type ComponentType, useEffect, useRef, useState } from 'react';
import { addressOfOperator } from '../route.js';
import { Alerts } from './Alerts.js';
import { Audit } from './Audit.js';
import { Cost } from './Cost.js';
import { Errors } from './Errors.js';
import { Keys } from './Keys.js';
import { Limits } from './Limits.js';
import { Overview } from './Overview.js';
import { Run } from './Run.js';
import { Runs } from './Runs.js';
import { Suspensions } from './Suspensions.js';
import { SECTIONS, type Section, type SectionProps, sectionOf } from './sections.js';
import { operatorTexts } from './texts.js';

const SHOWN: Readonly<Record<Section, ComponentType<SectionProps>>> = {
  overview: Overview,
  cost: Cost,
  errors: Errors,
  runs: Runs,
  limits: Limits,
  keys: Keys,
  people: Suspensions,
  alerts: Alerts,
  audit: Audit,
};

export interface OperatorProps {
  /** The section's name, as the address has it. */
  readonly section: string | null;
  /** The run that is shown. */
  readonly id: string | null;
}

export default function Operator({ section, id }: OperatorProps) {
  const { client, language, texts: common } = useProsa();
  const texts = operatorTexts(language);
  const [isHelping, setHelping] = useState(false);
  useShortcuts([{ keys: '?', label: common.keyHelp, section: 'page', run: () => setHelping(true) }]);
  const chosen = sectionOf(section);
  const shown = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: on a phone the chosen one may stand out of sight
  useEffect(() => {
    const link = shown.current?.querySelector('[aria-current]');
    link?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [chosen]);
  const content = useRef<HTMLDivElement>(null);
  const shownId = useRef(id);
  useEffect(() => {
    // Between a list and a run of it the link that was followed is gone, and the keyboard's place with it.
    if (shownId.current !== id) content.current?.focus();
    shownId.current = id;
  }, [id]);
  const props: SectionProps = { texts, language, client };
  const Shown = SHOWN[chosen];
  return (
    <div className="operator">
      <nav ref={shown} className="operator-sections" aria-label={texts.title}>
        {SECTIONS.map(each => (
          <a key={each} href={addressOfOperator(each)} aria-current={each === chosen ? 'page' : undefined}>
            {texts.sections[each]}
          </a>
        ))}
      </nav>
      <div ref={content} tabIndex={-1} className="operator-section" key={`${chosen} ${id ?? ''}`}>
        {chosen === 'runs' && id !== null ? <Run {...props} id={id} /> : <Shown {...props} />}
      </div>
      {isHelping && <ShortcutDialog onClose={() => setHelping(false)} />}
    </div>
  );
}
