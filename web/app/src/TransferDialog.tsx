/** Conversations out of the server into a file, and out of a file into the server. */
import { type Conversation, Dialog } from '@prosa/react';
import { useState } from 'react';
import { ExportForm } from './ExportForm.js';
import { ImportForm } from './ImportForm.js';
import type { AppTexts } from './texts.js';

/** What is to be moved: one conversation, or null for all of them. */
export interface Transfer {
  readonly conversation: Conversation | null;
}

export interface TransferDialogProps {
  readonly texts: AppTexts;
  readonly transfer: Transfer | null;
  readonly onImported: () => void;
  readonly onClose: () => void;
}

export function TransferDialog({ texts, transfer, ...props }: TransferDialogProps) {
  if (transfer === null) return null;
  return <Opened texts={texts} transfer={transfer} {...props} />;
}

interface OpenedProps extends TransferDialogProps {
  readonly transfer: Transfer;
}

function Opened({ texts, transfer: { conversation }, onImported, onClose }: OpenedProps) {
  const [way, setWay] = useState<'export' | 'import'>('export');
  const [isBusy, setBusy] = useState(false);
  const title =
    conversation === null
      ? texts.transfer
      : texts.exportOf.replace('{title}', () => conversation.title || texts.untitled);
  return (
    <Dialog title={title} busy={isBusy} bare={true} onClose={onClose}>
      {conversation === null && (
        <fieldset className="app-ways" disabled={isBusy}>
          <legend className="prosa-hidden">{texts.transfer}</legend>
          {(['export', 'import'] as const).map(each => (
            <label key={each}>
              <input
                type="radio"
                className="prosa-hidden"
                name="way"
                checked={way === each}
                onChange={() => setWay(each)}
              />
              {texts[each]}
            </label>
          ))}
        </fieldset>
      )}
      {way === 'export' ? (
        <ExportForm texts={texts} conversation={conversation} onBusy={setBusy} onClose={onClose} />
      ) : (
        <ImportForm texts={texts} onImported={onImported} onBusy={setBusy} onClose={onClose} />
      )}
    </Dialog>
  );
}
