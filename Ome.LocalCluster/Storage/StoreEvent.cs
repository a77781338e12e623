namespace Ome.LocalCluster.Storage;

/// <summary>One committed change of one object: created (no <see cref="Old"/>), updated (both) or deleted (no <see cref="New"/>).</summary>
/// <param name="Revision">Revision of the change; a deletion has its own.</param>
/// <param name="Old">The version before.</param>
/// <param name="New">The version after.</param>
/// <param name="Final">For a deletion: the last version, stamped with <paramref name="Revision"/>, as watchers see it.</param>
public sealed record StoreEvent(long Revision, StoredObject? Old, StoredObject? New, StoredObject? Final)
{
    public ObjectKey Key => (New ?? Old)!.Key;
}
