/** The shape of a list while it is being fetched. */

export function Skeletons({ label }: { readonly label: string }) {
  return (
    <div className="app-conversations app-skeletons" role="status">
      <span className="prosa-hidden">{label}</span>
      <i />
      <i />
      <i />
      <i />
      <i />
    </div>
  );
}
