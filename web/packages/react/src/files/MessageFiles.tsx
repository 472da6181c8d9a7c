/** The files of a message: pictures to be looked at, documents to be saved. */
import { type Attachment, attachmentsOf, type Message } from '@prosa/core';
import { memo, useState } from 'react';
import { useProsa } from '../context.js';
import { Dialog } from '../Dialog.js';
import { Icon } from '../Icon.js';
import { fill } from '../texts.js';
import { sizeOf } from './size.js';
import { isPicture } from './useAttachments.js';
import { useFileAddress } from './useFileAddress.js';

export const MessageFiles = memo(function MessageFiles({ parts }: Pick<Message, 'parts'>) {
  const { texts } = useProsa();
  const files = attachmentsOf({ parts });
  if (files.length === 0) return null;
  return (
    <ul className="prosa-files" aria-label={texts.attachments}>
      {files.map(file => (
        <li key={file.id}>
          {isPicture(file.mediaType) ? <Picture file={file} /> : <Document file={file} />}
        </li>
      ))}
    </ul>
  );
});

function Picture({ file }: { readonly file: Attachment }) {
  const { texts } = useProsa();
  const { address, failed } = useFileAddress(file.id);
  const [isBroken, setBroken] = useState(false);
  const [isOpen, setOpen] = useState(false);
  if (failed || isBroken) return <Document file={file} />;
  const name = file.name || texts.imageUnnamed;
  return (
    <>
      <button
        type="button"
        className="prosa-picture"
        aria-label={fill(texts.openImage, { name })}
        title={name}
        onClick={() => setOpen(true)}
      >
        {address !== null && <img src={address} alt={name} loading="lazy" onError={() => setBroken(true)} />}
      </button>
      {isOpen && address !== null && (
        <Dialog title={name} wide={true} onClose={() => setOpen(false)}>
          <img className="prosa-picture-whole" src={address} alt={name} />
          <footer>
            <a className="prosa-button" href={address} download={name}>
              {texts.save}
            </a>
          </footer>
        </Dialog>
      )}
    </>
  );
}

function Document({ file }: { readonly file: Attachment }) {
  const { texts, language } = useProsa();
  const { address } = useFileAddress(file.id);
  const name = file.name || texts.imageUnnamed;
  return (
    <a className="prosa-document" href={address ?? undefined} download={name} title={name}>
      <Icon name="file" />
      <span>
        <strong>{name}</strong>
        <small>{sizeOf(file.size, language)}</small>
      </span>
    </a>
  );
}
