/** Where a file is dropped, or picked with a button. */
import { type DragEvent, useRef, useState } from 'react';
import type { AppTexts } from './texts.js';

export interface DropFieldProps {
  readonly texts: AppTexts;
  readonly onFile: (file: File) => void;
}

export function DropField({ texts, onFile }: DropFieldProps) {
  const [isOver, setOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const take = (files: FileList | null) => {
    const file = files?.[0];
    if (file) onFile(file);
  };
  const over = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    setOver(true);
  };
  const dropped = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  return (
    // What is dropped can be picked with the button, too.
    // biome-ignore lint/a11y/noStaticElementInteractions: dragging is done with a pointer
    <div
      className="app-drop"
      data-over={isOver}
      onDragOver={over}
      onDragLeave={() => setOver(false)}
      onDrop={dropped}
    >
      <p>{texts.dropHere}</p>
      <button type="button" className="prosa-button" onClick={() => picker.current?.click()}>
        {texts.pickFile}
      </button>
      <input
        ref={picker}
        type="file"
        hidden
        aria-label={texts.pickFile}
        accept=".json,.zip,application/json,application/zip"
        onChange={event => {
          take(event.target.files);
          // The same file may be picked again.
          event.target.value = '';
        }}
      />
    </div>
  );
}
