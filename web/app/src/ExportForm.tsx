/** Chooses a format, fetches the file with word of how far it has come, and gives it to the browser to keep. */
import { type ExportFormat, type ExportProgress, exportConversations } from '@prosa/core';
import { type Conversation, useProsa } from '@prosa/react';
import { useState } from 'react';
import { count, size } from './figures.js';
import { type Said, Sentences } from './Sentences.js';
import type { AppTexts } from './texts.js';
import { useTransfer } from './useTransfer.js';

export interface ExportFormProps {
  readonly texts: AppTexts;
  readonly conversation: Conversation | null;
  readonly onBusy: (isBusy: boolean) => void;
  readonly onClose: () => void;
}

interface Kept {
  readonly name: string;
  readonly bytes: number;
}

const FORMATS: readonly ExportFormat[] = ['json', 'markdown', 'html', 'csv'];

export function ExportForm({ texts, conversation, onBusy, onClose }: ExportFormProps) {
  const { client, language } = useProsa();
  const [format, setFormat] = useState<ExportFormat>('json');
  const { state, start, reset } = useTransfer<ExportProgress, Kept>(onBusy);
  const isRunning = state.is === 'running';
  const fetchIt = () =>
    start(async (onProgress, signal) => {
      const request = { format, conversationId: conversation?.id };
      const file = await exportConversations(client, request, onProgress, signal);
      keep(file.blob, file.name);
      return { name: file.name, bytes: file.blob.size };
    });
  return (
    <>
      <fieldset className="app-formats" disabled={isRunning}>
        <legend>{texts.format}</legend>
        {FORMATS.map(each => (
          <label key={each}>
            <input
              type="radio"
              name="format"
              checked={format === each}
              onChange={() => {
                setFormat(each);
                reset();
              }}
            />
            <span>
              <strong>{texts.formats[each]}</strong>
              <small>{texts.formatHints[each]}</small>
            </span>
          </label>
        ))}
      </fieldset>
      {isRunning && <Progress texts={texts} language={language} progress={state.progress} />}
      <Sentences said={saidOf(texts, language, state)} />
      <div className="prosa-dialog-foot">
        <button type="button" className="prosa-button" onClick={isRunning ? reset : onClose}>
          {isRunning ? texts.cancel : texts.closeDialog}
        </button>
        <button
          type="button"
          className="prosa-button prosa-strong"
          disabled={isRunning}
          onClick={() => void fetchIt()}
        >
          {state.is === 'failed' ? texts.retry : texts.export}
        </button>
      </div>
    </>
  );
}

interface ProgressProps {
  readonly texts: AppTexts;
  readonly language: string;
  readonly progress: ExportProgress | null;
}

function Progress({ texts, language, progress }: ProgressProps) {
  const { bytes = 0, conversations = null, total = null } = progress ?? {};
  const isCounted = conversations !== null && total !== null && total > 0;
  const of = total === null ? null : count(total, language);
  const told = conversations === null ? of : `${count(conversations, language)} / ${of ?? '?'}`;
  return (
    <div className="app-progress">
      <progress aria-label={texts.exporting} {...(isCounted ? { value: conversations, max: total } : {})} />
      <p>
        {told !== null && `${texts.conversations}: ${told} · `}
        {size(bytes, language)}
      </p>
    </div>
  );
}

function saidOf(
  texts: AppTexts,
  language: string,
  state: ReturnType<typeof useTransfer<ExportProgress, Kept>>['state'],
): Said | null {
  if (state.is === 'failed') return { isFailure: true, sentences: [state.message] };
  if (state.is !== 'done') return null;
  const { name, bytes } = state.result;
  const sentence = texts.exported
    .replace('{name}', () => name)
    .replace('{size}', () => size(bytes, language));
  return { isFailure: false, sentences: [sentence] };
}

/** A click on a link to the file, which is freed once the browser has taken it. */
function keep(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
