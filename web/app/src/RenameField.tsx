/** A title being changed in its place: Enter or leaving keeps it, Escape does not, and a failure says so. */
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';

export interface RenameFieldProps {
  readonly label: string;
  readonly title: string;
  readonly onRename: (title: string) => Promise<void>;
  readonly onClose: () => void;
}

export function RenameField({ label, title, onRename, onClose }: RenameFieldProps) {
  const [text, setText] = useState(title);
  const [problem, setProblem] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const isSaving = useRef(false);
  useEffect(() => input.current?.select(), []);

  const save = async () => {
    const next = text.trim();
    if (isSaving.current) return;
    if (next === '' || next === title) return onClose();
    isSaving.current = true;
    try {
      await onRename(next);
      onClose();
    } catch (error) {
      isSaving.current = false;
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter') void save();
    if (event.key !== 'Escape') return;
    // Escape ends the renaming and nothing else, such as a running answer.
    event.preventDefault();
    isSaving.current = true;
    onClose();
  };
  return (
    <>
      <input
        ref={input}
        className="app-rename"
        value={text}
        maxLength={200}
        aria-label={label}
        aria-invalid={problem !== null}
        onChange={event => setText(event.target.value)}
        onKeyDown={onKeyDown}
        onBlur={() => void save()}
      />
      {problem !== null && (
        <p className="app-note" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
