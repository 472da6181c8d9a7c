/** Asks the person at the page for what a call gives, where the page has no tool that does it. */
import { type KeyboardEvent, useId, useState } from 'react';
import { useTexts } from './context.js';
import { fill } from './texts.js';

export interface OutputFormProps {
  readonly name: string;
  readonly onBring: (output: string) => void;
}

export function OutputForm({ name, onBring }: OutputFormProps) {
  const texts = useTexts();
  const id = useId();
  const [output, setOutput] = useState('');
  const bring = () => {
    if (output.trim() !== '') onBring(output);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    bring();
  };
  return (
    <form
      className="prosa-tool-form"
      onSubmit={event => {
        event.preventDefault();
        bring();
      }}
    >
      <label htmlFor={id}>{fill(texts.outputLabel, { name })}</label>
      <textarea
        id={id}
        rows={2}
        value={output}
        onChange={event => setOutput(event.target.value)}
        onKeyDown={pressed}
      />
      <button type="submit" className="prosa-button prosa-strong" disabled={output.trim() === ''}>
        {texts.sendOutput}
      </button>
    </form>
  );
}
