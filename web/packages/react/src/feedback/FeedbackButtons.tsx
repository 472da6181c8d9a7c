/** What the reader thinks of an answer: a thumb at once, and more for whoever wants to say more. */
import type { Feedback } from '@prosa/core';
import { useRef, useState } from 'react';
import { useTexts } from '../context.js';
import { Icon } from '../Icon.js';
import { Popover } from '../Popover.js';
import { FeedbackForm } from './FeedbackForm.js';

export interface FeedbackButtonsProps {
  readonly feedback: Feedback | null;
  /** Null takes it back. */
  readonly onRate: (feedback: Feedback | null) => void;
}

export const NO_FEEDBACK: Feedback = { thumb: null, rating: null, tags: [], comment: null };

export function FeedbackButtons({ feedback, onRate }: FeedbackButtonsProps) {
  const texts = useTexts();
  const up = useRef<HTMLButtonElement>(null);
  const down = useRef<HTMLButtonElement>(null);
  const [opened, setOpened] = useState<'up' | 'down' | null>(null);
  const press = (thumb: 'up' | 'down') => {
    if (feedback?.thumb === thumb) {
      setOpened(null);
      onRate(null);
      return;
    }
    // What was said of a good answer does not fit a bad one.
    onRate({ ...NO_FEEDBACK, thumb });
    setOpened(thumb);
  };
  const button = (thumb: 'up' | 'down', name: string) => (
    <button
      ref={thumb === 'up' ? up : down}
      type="button"
      className="prosa-action"
      aria-label={name}
      title={name}
      aria-pressed={feedback?.thumb === thumb}
      onPointerDown={event => event.stopPropagation()}
      onClick={() => press(thumb)}
    >
      <Icon name={thumb} />
    </button>
  );
  return (
    <>
      {button('up', texts.good)}
      {button('down', texts.bad)}
      {opened && (
        <Popover label={texts.feedback} anchor={opened === 'up' ? up : down} onClose={() => setOpened(null)}>
          <FeedbackForm
            feedback={feedback ?? { ...NO_FEEDBACK, thumb: opened }}
            onSave={said => {
              onRate(said);
              setOpened(null);
              (opened === 'up' ? up : down).current?.focus();
            }}
          />
        </Popover>
      )}
    </>
  );
}
