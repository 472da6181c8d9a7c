/** A call of a tool: its name and state in a line, its arguments and result folded away behind it. */
import type { CallPart } from '@prosa/core';
import { memo, useId, useRef, useState } from 'react';
import { useProsa, useTexts } from './context.js';
import { Icon, type IconName } from './Icon.js';
import { OutputForm } from './OutputForm.js';
import { pretty, seen } from './pretty.js';
import type { Texts } from './texts.js';

/** What somebody can do about a call that the run waits for; the same object as long as the chat lives. */
export interface CallActions {
  readonly decide: (callId: string, approve: boolean) => void;
  readonly bring: (callId: string, output: string) => void;
}

export interface ToolCallProps {
  readonly call: CallPart;
  /** Without them a call that waits is only shown. */
  readonly actions?: CallActions | undefined;
}

export const ToolCall = memo(function ToolCall({ call, actions }: ToolCallProps) {
  const texts = useTexts();
  const id = useId();
  const toggle = useRef<HTMLButtonElement>(null);
  const [chosen, setChosen] = useState<boolean | null>(null);
  // Nobody is asked to allow what they can't see.
  const isOpen = chosen ?? call.state === 'waiting';
  // What was acted on goes away, and the focus must not go with it.
  const acting = (act: () => void) => () => {
    toggle.current?.focus();
    act();
  };
  return (
    <section className="prosa-tool" data-state={call.state} data-open={isOpen} aria-label={call.name}>
      <button
        ref={toggle}
        type="button"
        className="prosa-tool-line"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setChosen(!isOpen)}
      >
        <Icon name={ICONS[call.state]} />
        <code>{seen(call.name)}</code>
        <State call={call} />
        <Icon name="open" />
      </button>
      <div id={id} className="prosa-tool-more" hidden={!isOpen}>
        {isOpen && <Details call={call} texts={texts} />}
        {call.state === 'waiting' && call.needs === 'approval' && actions && (
          <p className="prosa-tool-ask">
            <span>{texts.approvalQuestion}</span>
            <button
              type="button"
              className="prosa-button prosa-strong"
              onClick={acting(() => actions.decide(call.id, true))}
            >
              {texts.allow}
            </button>
            <button
              type="button"
              className="prosa-button"
              onClick={acting(() => actions.decide(call.id, false))}
            >
              {texts.deny}
            </button>
          </p>
        )}
        {call.state === 'waiting' && call.needs === 'output' && actions && (
          <OutputForm name={call.name} onBring={output => acting(() => actions.bring(call.id, output))()} />
        )}
      </div>
    </section>
  );
});

const ICONS: Readonly<Record<CallPart['state'], IconName>> = {
  running: 'tool',
  waiting: 'tool',
  completed: 'check',
  failed: 'warning',
  denied: 'close',
  stopped: 'stop',
};

const WORTH_TELLING_MS = 100;

function State({ call }: { readonly call: CallPart }) {
  const { texts, language } = useProsa();
  const label = stateOf(call, texts);
  return (
    <span className="prosa-tool-state">
      {label}
      {call.took !== null && call.took >= WORTH_TELLING_MS && ` · ${duration(call.took, language)}`}
    </span>
  );
}

function stateOf({ state, needs }: CallPart, texts: Texts): string {
  if (state !== 'waiting') return texts[state];
  return needs === 'approval' ? texts.needsApproval : texts.needsOutput;
}

function duration(ms: number, language: string): string {
  const seconds = ms / 1000;
  const format = {
    style: 'unit',
    unit: 'second',
    unitDisplay: 'narrow',
    maximumFractionDigits: seconds < 10 ? 1 : 0,
  } as const;
  return new Intl.NumberFormat(language, format).format(seconds);
}

function Details({ call, texts }: { readonly call: CallPart; readonly texts: Texts }) {
  const { result } = call;
  const given = /^\s*(?:\{\s*\})?\s*$/.test(call.arguments) && call.state !== 'running' ? '' : call.arguments;
  return (
    <dl>
      <Text
        label={texts.toolArguments}
        text={given}
        instead={call.state === 'running' ? '…' : texts.noArguments}
      />
      {result !== null && (
        <Text
          label={texts.toolResult}
          text={result}
          instead={texts.emptyResult}
          note={call.truncated ? texts.truncated : undefined}
        />
      )}
    </dl>
  );
}

interface TextProps {
  readonly label: string;
  readonly text: string;
  /** Said where the text is empty. */
  readonly instead: string;
  readonly note?: string | undefined;
}

function Text({ label, text, instead, note }: TextProps) {
  return (
    <>
      <dt>{label}</dt>
      <dd>
        {text === '' ? (
          <span className="prosa-muted">{instead}</span>
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: long texts are scrolled by keyboard
          <pre tabIndex={0}>{seen(pretty(text))}</pre>
        )}
        {note && <span className="prosa-muted">{note}</span>}
      </dd>
    </>
  );
}
