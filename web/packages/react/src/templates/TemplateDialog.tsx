/** The templates to be looked after: made, changed, deleted, shared. */
import type { Template } from '@prosa/core';
import { useState } from 'react';
import { useTexts } from '../context.js';
import { Dialog } from '../Dialog.js';
import { Icon } from '../Icon.js';
import { fill } from '../texts.js';
import { TemplateEditor } from './TemplateEditor.js';
import { type UseTemplates, useTemplates } from './useTemplates.js';

export function TemplateDialog({ onClose }: { readonly onClose: () => void }) {
  const texts = useTexts();
  const list = useTemplates();
  const [edited, setEdited] = useState<Template | 'new' | null>(null);
  const done = () => setEdited(null);
  return (
    <Dialog title={texts.templates} wide={true} onClose={onClose}>
      {edited === null ? (
        <List list={list} onEdit={setEdited} />
      ) : (
        <TemplateEditor template={edited === 'new' ? null : edited} list={list} onDone={done} />
      )}
    </Dialog>
  );
}

interface ListProps {
  readonly list: UseTemplates;
  readonly onEdit: (template: Template | 'new') => void;
}

function List({ list, onEdit }: ListProps) {
  const texts = useTexts();
  const { templates, error, refresh } = list;
  return (
    <>
      {templates === null && !error && <p role="status">{texts.loadingTemplates}</p>}
      {templates === null && error && (
        <p role="alert">
          {texts.templatesFailed}{' '}
          <button type="button" className="prosa-button" onClick={refresh}>
            {texts.retry}
          </button>
        </p>
      )}
      {templates?.length === 0 && <p className="prosa-muted">{texts.templatesHow}</p>}
      <ul className="prosa-template-rows">
        {templates?.map(template => (
          <Row key={template.id} template={template} list={list} onEdit={() => onEdit(template)} />
        ))}
      </ul>
      <footer>
        <button type="button" className="prosa-button prosa-strong" onClick={() => onEdit('new')}>
          {texts.newTemplate}
        </button>
      </footer>
    </>
  );
}

interface RowProps {
  readonly template: Template;
  readonly list: UseTemplates;
  readonly onEdit: () => void;
}

function Row({ template, list, onEdit }: RowProps) {
  const texts = useTexts();
  const [isAsked, setAsked] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const { id, name, description, content, shared } = template;
  const remove = () =>
    list.deleteTemplate(id).catch((error: Error) => {
      setAsked(false);
      setProblem(error.message);
    });
  return (
    <li>
      <span>
        <strong>{name}</strong> {shared && <small className="prosa-tag">{texts.shared}</small>}
        <small>{description || content}</small>
        {problem !== null && <small role="alert">{problem}</small>}
      </span>
      {isAsked ? (
        <>
          <button
            type="button"
            className="prosa-button prosa-danger"
            // The question has taken the place of what was pressed.
            ref={element => element?.focus()}
            onClick={() => void remove()}
          >
            {texts.remove}
          </button>
          <button type="button" className="prosa-button" onClick={() => setAsked(false)}>
            {texts.cancel}
          </button>
        </>
      ) : (
        <>
          <button
            type="button"
            className="prosa-action"
            aria-label={fill(texts.editTemplate, { name })}
            title={texts.edit}
            onClick={onEdit}
          >
            <Icon name="edit" />
          </button>
          <button
            type="button"
            className="prosa-action"
            aria-label={fill(texts.removeTemplate, { name })}
            title={texts.remove}
            onClick={() => setAsked(true)}
          >
            <Icon name="remove" />
          </button>
        </>
      )}
    </li>
  );
}
