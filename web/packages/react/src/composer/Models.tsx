/** The choice of the model in the composer, and a word where the chosen one does not take what is attached. */
import type { Model } from '@prosa/core';
import { useTexts } from '../context.js';
import { isPicture, type PendingFile } from '../files/useAttachments.js';
import { ModelPicker } from '../ModelPicker.js';
import { modelInUse, nameOf } from '../modelNames.js';
import { fill, type Texts } from '../texts.js';
import type { UseChat } from '../useChat.js';
import type { UseModels } from '../useModels.js';

export interface ModelsProps {
  readonly chat: UseChat;
  readonly list: UseModels;
  readonly provider: string | undefined;
  readonly model: string | undefined;
}

export function Models({ chat, list, provider, model }: ModelsProps) {
  const texts = useTexts();
  const { models, error, refresh } = list;
  if (error && models === null) {
    return (
      <p className="prosa-muted prosa-models">
        {texts.modelsFailed}{' '}
        <button type="button" className="prosa-button" onClick={refresh}>
          {texts.retry}
        </button>
      </p>
    );
  }
  // The place is kept, so that nothing moves when the list comes.
  if (models === null) return <div className="prosa-models" aria-hidden="true" />;
  const { conversation, chosenModel: chosen } = chat;
  return (
    <ModelPicker
      models={models}
      value={modelInUse(models, { chosen, provider, model, conversation })}
      onChoose={id => void chat.chooseModel(id)}
      disabled={chat.error?.at === 'open' || chat.opening}
    />
  );
}

/** The model that answers now, as far as it is known. */
export function answering({ chat, list, provider, model }: ModelsProps): Model | undefined {
  const { models } = list;
  if (models === null) return undefined;
  const { conversation, chosenModel: chosen } = chat;
  const id = modelInUse(models, { chosen, provider, model, conversation });
  return models.find(each => each.id === id);
}

/** What is to be said of files that a model does not take; null where it takes them, or nobody knows. */
export function objection(
  model: Model | undefined,
  files: readonly PendingFile[],
  texts: Texts,
): string | null {
  if (model?.kind !== 'model' || model.capabilities.includes('unknown')) return null;
  const name = nameOf(model);
  const takes = (what: string) => model.capabilities.includes(what);
  const has = (is: (file: PendingFile) => boolean) => files.some(file => file.state !== 'failed' && is(file));
  if (!takes('images') && has(file => isPicture(file.mediaType))) return fill(texts.takesNoImages, { name });
  if (!takes('documents') && has(file => file.mediaType === 'application/pdf')) {
    return fill(texts.takesNoDocuments, { name });
  }
  return null;
}
