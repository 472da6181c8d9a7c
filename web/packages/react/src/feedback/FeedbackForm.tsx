/** More than a thumb: a rating from 1 to 5, what it is about, and a text. */
import type { Feedback } from '@prosa/core';
import { useId, useState } from 'react';
import { useTexts } from '../context.js';

export interface FeedbackFormProps {
  readonly feedback: Feedback;
  readonly onSave: (feedback: Feedback) => void;
  /** Takes all of it back. */
  readonly onRemove: () => void;
}

const RATINGS = [1, 2, 3, 4, 5] as const;
/** What is stored; the reader sees them in words. */
const TAGS = {
  up: ['accurate', 'helpful', 'clear', 'complete'],
  down: ['wrong', 'incomplete', 'unclear', 'off_topic', 'too_long', 'harmful'],
} as const;

export function FeedbackForm({ feedback, onSave, onRemove }: FeedbackFormProps) {
  const texts = useTexts();
  const id = useId();
  const [said, setSaid] = useState(feedback);
  const toggle = (tag: string) => {
    const tags = said.tags.includes(tag) ? said.tags.filter(each => each !== tag) : [...said.tags, tag];
    setSaid({ ...said, tags });
  };
  return (
    <form
      className="prosa-form prosa-feedback"
      onSubmit={event => {
        event.preventDefault();
        onSave({ ...said, comment: said.comment?.trim() || null });
      }}
    >
      <fieldset>
        <legend>{texts.rating}</legend>
        <div className="prosa-ratings">
          {RATINGS.map(rating => (
            <label key={rating}>
              <input
                type="radio"
                className="prosa-hidden"
                name={`${id}-rating`}
                checked={said.rating === rating}
                onChange={() => setSaid({ ...said, rating })}
              />
              <span className="prosa-pick">{rating}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <fieldset>
        <legend>{texts.about}</legend>
        <div className="prosa-tags">
          {TAGS[said.thumb ?? 'up'].map(tag => (
            <label key={tag}>
              <input
                type="checkbox"
                className="prosa-hidden"
                checked={said.tags.includes(tag)}
                onChange={() => toggle(tag)}
              />
              <span className="prosa-pick">{texts[`tag_${tag}`]}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <p>
        <label htmlFor={`${id}-comment`}>{texts.comment}</label>
        <textarea
          id={`${id}-comment`}
          rows={2}
          maxLength={10_000}
          value={said.comment ?? ''}
          onChange={event => setSaid({ ...said, comment: event.target.value })}
        />
      </p>
      <footer>
        <button type="button" className="prosa-button" onClick={onRemove}>
          {texts.removeFeedback}
        </button>
        <button type="submit" className="prosa-button prosa-strong">
          {texts.saveFeedback}
        </button>
      </footer>
    </form>
  );
}
