/** Copies a text and says so for a moment. */
import { useEffect, useState } from 'react';
import { useTexts } from './context.js';
import { copyText } from './copy.js';
import { Icon } from './Icon.js';

export interface CopyButtonProps {
  readonly text: string;
  readonly label: string;
}

const SAID_FOR_MS = 2_000;

export function CopyButton({ text, label }: CopyButtonProps) {
  const texts = useTexts();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const name = copied ? texts.copied : label;
  const copy = async () => setCopied(await copyText(text));
  return (
    <button type="button" className="prosa-action" aria-label={name} title={name} onClick={copy}>
      <Icon name={copied ? 'check' : 'copy'} />
    </button>
  );
}
