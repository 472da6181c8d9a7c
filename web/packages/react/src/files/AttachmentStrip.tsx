/** The files in the composer: how far they have come, why one was refused, and a way to take each out again. */
import { useProsa } from '../context.js';
import { Icon } from '../Icon.js';
import { fill } from '../texts.js';
import { sizeOf } from './size.js';
import { isPicture, type PendingFile, type UseAttachments } from './useAttachments.js';
import { useFileAddress } from './useFileAddress.js';

export function AttachmentStrip({ attachments }: { readonly attachments: UseAttachments }) {
  const { texts } = useProsa();
  const { files, isTooMany, remove, retry } = attachments;
  return (
    <>
      {files.length > 0 && (
        <ul className="prosa-strip" aria-label={texts.attachments}>
          {files.map(file => (
            <Chip
              key={file.key}
              file={file}
              onRemove={() => remove(file.key)}
              onRetry={() => retry(file.key)}
            />
          ))}
        </ul>
      )}
      <div aria-live="assertive">{isTooMany && <p className="prosa-strip-note">{texts.tooManyFiles}</p>}</div>
    </>
  );
}

interface ChipProps {
  readonly file: PendingFile;
  readonly onRemove: () => void;
  readonly onRetry: () => void;
}

function Chip({ file, onRemove, onRetry }: ChipProps) {
  const { texts, language } = useProsa();
  const { name, size, state, progress, error, retryable } = file;
  return (
    <li className="prosa-chip" data-state={state}>
      <Face file={file} />
      <span className="prosa-chip-text">
        <strong title={name}>{name}</strong>
        {state === 'failed' ? (
          <small role="alert">{error}</small>
        ) : (
          <small>
            {state === 'uploading'
              ? fill(texts.uploading, { share: percent(progress, language) })
              : sizeOf(size, language)}
          </small>
        )}
      </span>
      {state === 'failed' && retryable && (
        <button
          type="button"
          className="prosa-action"
          aria-label={texts.retry}
          title={texts.retry}
          onClick={onRetry}
        >
          <Icon name="retry" />
        </button>
      )}
      <button
        type="button"
        className="prosa-action"
        aria-label={fill(texts.removeFile, { name })}
        title={texts.remove}
        onClick={onRemove}
      >
        <Icon name="close" />
      </button>
      {state === 'uploading' && (
        <progress aria-label={fill(texts.uploadOf, { name })} max={1} value={progress} />
      )}
    </li>
  );
}

function Face({ file }: { readonly file: PendingFile }) {
  const { preview, stored, mediaType } = file;
  const { address } = useFileAddress(preview === null && stored && isPicture(mediaType) ? stored.id : null);
  const picture = preview ?? address;
  return (
    <span className="prosa-chip-face" aria-hidden="true">
      {picture === null ? <Icon name="file" /> : <img src={picture} alt="" />}
    </span>
  );
}

function percent(share: number, language: string): string {
  return new Intl.NumberFormat(language, { style: 'percent' }).format(share);
}
