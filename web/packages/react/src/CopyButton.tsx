/** Copies a text and says so for a moment. */
import { useEffect, useState } from 'react';
import { useTexts } from './context.js';
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

/** Pages served over plain http have no `navigator.clipboard`; there the selection is copied. */
async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => copySelection(text),
    );
  }
  return copySelection(text);
}

function copySelection(text: string): boolean {
  const focused = document.activeElement;
  const area = document.createElement('textarea');
  area.className = 'prosa-hidden';
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}
