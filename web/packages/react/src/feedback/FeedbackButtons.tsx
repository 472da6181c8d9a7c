/** What the reader thinks of an answer: a thumb at once, and behind it more, which can be changed and taken back. */
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
    // What was said of a good answer does not fit a bad one; what was said without a thumb does.
    const said = feedback?.thumb === null ? feedback : NO_FEEDBACK;
    if (feedback?.thumb !== thumb) onRate({ ...said, thumb });
    setOpened(opened === thumb ? null : thumb);
  };
  const finish = (said: Feedback | null) => {
    onRate(said);
    setOpened(null);
    (opened === 'up' ? up : down).current?.focus();
  };
  const button = (thumb: 'up' | 'down', name: string) => (
    <button
      ref={thumb === 'up' ? up : down}
      type="button"
      className="prosa-action"
      aria-label={name}
      title={name}
      aria-pressed={feedback?.thumb === thumb}
      aria-haspopup="dialog"
      aria-expanded={opened === thumb}
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
        <Popover
          key={opened}
          label={texts.feedback}
          anchor={opened === 'up' ? up : down}
          onClose={() => setOpened(null)}
        >
          <FeedbackForm
            feedback={feedback ?? { ...NO_FEEDBACK, thumb: opened }}
            onSave={finish}
            onRemove={() => finish(null)}
          />
        </Popover>
      )}
    </>
  );
}
