/** The parts of an answer, each as it is to be read, in the order in which they came. */
import type { AnswerPart } from '@prosa/core';
import { memo } from 'react';
import { useTexts } from './context.js';
import { StreamingMessage } from './StreamingMessage.js';
import { Thoughts } from './Thoughts.js';
import { type CallActions, ToolCall } from './ToolCall.js';
import { fill } from './texts.js';

export interface MessagePartsProps {
  readonly parts: readonly AnswerPart[];
  /** True while more is to come. */
  readonly streaming?: boolean;
  readonly actions?: CallActions | undefined;
}

export const MessageParts = memo(function MessageParts(props: MessagePartsProps) {
  const { parts, streaming = false, actions } = props;
  return parts.map((part, index) => (
    <Part
      // Parts never move: an answer grows at its end, and begins anew at its end.
      // biome-ignore lint/suspicious/noArrayIndexKey: the index is the part's identity
      key={index}
      part={part}
      growing={streaming && index === parts.length - 1}
      actions={actions}
    />
  ));
});

interface PartProps {
  readonly part: AnswerPart;
  readonly growing: boolean;
  readonly actions: CallActions | undefined;
}

function Part({ part, growing, actions }: PartProps) {
  switch (part.type) {
    case 'text':
      // A few models send a line break before each call.
      return part.text.trim() === '' ? null : <StreamingMessage content={part.text} isComplete={!growing} />;
    case 'thinking':
      return <Thoughts text={part.text} growing={growing} />;
    case 'call':
      return <ToolCall call={part} actions={actions} />;
    case 'media':
      return <Medium name={part.name ?? part.mediaType} />;
  }
}

/** What a message carries besides text is named; nothing of it is fetched. */
function Medium({ name }: { readonly name: string | null }) {
  const texts = useTexts();
  return <p className="prosa-muted">{fill(texts.image, { name: name ?? texts.imageUnnamed })}</p>;
}
