/** The shape of a conversation while it is being fetched. */
import { useTexts } from './context.js';

export function Skeleton() {
  const texts = useTexts();
  return (
    <div className="prosa-skeleton" role="status">
      <span className="prosa-hidden">{texts.loading}</span>
      <i data-role="user" />
      <i />
      <i />
      <i data-short />
      <i data-role="user" />
      <i />
      <i data-short />
    </div>
  );
}
