using System.Collections.Immutable;

namespace Ome.LocalCluster.Storage;

/// <summary>All objects of a kind as they were at one revision.</summary>
public readonly record struct ListSnapshot(long Revision, ImmutableSortedDictionary<ObjectKey, StoredObject> Objects);
