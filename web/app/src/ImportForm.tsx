/** Takes a file that is dropped or picked, sends it, and tells what became of what was in it. */
import { type ImportProgress, type ImportResult, type ImportSource, importConversations } from '@prosa/core';
import { useProsa } from '@prosa/react';
import { useId, useState } from 'react';
import { DropField } from './DropField.js';
import { count, size } from './figures.js';
import { type Said, Sentences } from './Sentences.js';
import type { AppTexts } from './texts.js';
import { type TransferState, useTransfer } from './useTransfer.js';

export interface ImportFormProps {
  readonly texts: AppTexts;
  readonly onImported: () => void;
  readonly onBusy: (isBusy: boolean) => void;
  readonly onClose: () => void;
}

const SOURCES: readonly ImportSource[] = ['auto', 'prosa', 'chatgpt', 'claude', 'openai'];

export function ImportForm({ texts, onImported, onBusy, onClose }: ImportFormProps) {
  const { client, language } = useProsa();
  const [source, setSource] = useState<ImportSource>('auto');
  const { state, start, reset } = useTransfer<ImportProgress, ImportResult>(onBusy);
  const id = useId();
  const isRunning = state.is === 'running';
  const send = (file: File) =>
    start(async (onProgress, signal) => {
      try {
        return await importConversations(client, file, source, onProgress, signal);
      } finally {
        // Also of a file that breaks off, the beginning is imported.
        onImported();
      }
    });
  return (
    <>
      <div className="app-filter">
        <label htmlFor={id}>{texts.importFrom}</label>
        <select
          id={id}
          value={source}
          disabled={isRunning}
          onChange={event => setSource(event.target.value as ImportSource)}
        >
          {SOURCES.map(each => (
            <option key={each} value={each}>
              {texts.sources[each]}
            </option>
          ))}
        </select>
      </div>
      {isRunning ? (
        <Progress texts={texts} language={language} progress={state.progress} />
      ) : (
        <DropField texts={texts} onFile={file => void send(file)} />
      )}
      <Sentences said={saidOf(texts, language, state)} />
      {state.is === 'done' && <Failures texts={texts} result={state.result} />}
      <div className="prosa-dialog-foot">
        <button type="button" className="prosa-button" onClick={isRunning ? reset : onClose}>
          {isRunning ? texts.cancel : texts.closeDialog}
        </button>
      </div>
    </>
  );
}

interface ProgressProps {
  readonly texts: AppTexts;
  readonly language: string;
  readonly progress: ImportProgress | null;
}

/** First the file goes up, then the server says how far it has come. */
function Progress({ texts, language, progress }: ProgressProps) {
  const { sent = 0, size: whole = 0, conversations = 0, messages = 0 } = progress ?? {};
  const isSending = sent < whole;
  const told = isSending
    ? `${size(sent, language)} / ${size(whole, language)}`
    : `${texts.conversations}: ${count(conversations, language)} · ${texts.messages}: ${count(messages, language)}`;
  return (
    <div className="app-progress">
      <progress
        aria-label={isSending ? texts.sending : texts.importing}
        {...(isSending ? { value: sent, max: whole } : {})}
      />
      <p>
        {isSending ? texts.sending : texts.importing} {told}
      </p>
    </div>
  );
}

function saidOf(
  texts: AppTexts,
  language: string,
  state: TransferState<ImportProgress, ImportResult>,
): Said | null {
  if (state.is === 'failed') return { isFailure: true, sentences: [state.message] };
  if (state.is !== 'done') return null;
  const { imported, skipped, messages, failed } = state.result;
  const told = [
    [texts.imported, imported],
    [texts.messages, messages],
    [texts.skipped, skipped],
    [texts.failed, failed.length],
  ] as const;
  const sentences = told.map(([name, number]) => `${name}: ${count(number, language)}`);
  return { isFailure: false, sentences };
}

function Failures({ texts, result }: { readonly texts: AppTexts; readonly result: ImportResult }) {
  if (result.failed.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a long list is scrolled by keyboard
    <section className="app-failures" aria-label={texts.failed} tabIndex={0}>
      <ul>
        {result.failed.map(({ id, reason }, index) => (
          // The list never changes.
          // biome-ignore lint/suspicious/noArrayIndexKey: a file may tell the same twice
          <li key={index}>
            {id !== null && <code>{id}</code>} {reason}
          </li>
        ))}
      </ul>
    </section>
  );
}
