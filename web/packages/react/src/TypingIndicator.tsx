/** Three quiet dots: something is on its way, and in words where there is more to say. */
import { useTexts } from './context.js';

export function TypingIndicator({ label }: { readonly label?: string | undefined }) {
  const texts = useTexts();
  return (
    <p className="prosa-typing">
      <span className="prosa-dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span className={label ? undefined : 'prosa-hidden'}>{label ?? texts.writing}</span>
    </p>
  );
}
