/** Copies a text and says for a moment whether that was done. */
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
  const [said, setSaid] = useState<'copied' | 'notCopied' | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const name = said === null ? label : texts[said];
  const icon = said === null ? 'copy' : said === 'copied' ? 'check' : 'warning';
  const copy = async () => setSaid((await copyText(text)) ? 'copied' : 'notCopied');
  return (
    <button type="button" className="prosa-action" aria-label={name} title={name} onClick={copy}>
      <Icon name={icon} />
    </button>
  );
}
