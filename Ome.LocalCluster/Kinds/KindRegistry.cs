using System.Collections.Immutable;

namespace Ome.LocalCluster.Kinds;

/// <summary>The resources that are served now. Readers see one consistent state; CRDs add and remove.</summary>
public sealed class KindRegistry
{
    private readonly Lock _gate = new();
    private ImmutableDictionary<(string Group, string Version, string Plural), ApiResource> _byPath = ImmutableDictionary<(string, string, string), ApiResource>.Empty;
    private ImmutableDictionary<string, ImmutableArray<ApiResource>> _custom = ImmutableDictionary<string, ImmutableArray<ApiResource>>.Empty;

    public KindRegistry(IEnumerable<ApiResource> builtIn)
    {
        foreach (var resource in builtIn) _byPath = _byPath.Add((resource.Group, resource.Version, resource.Plural), resource);
    }

    /// <summary>Grows with every change; part of what clients cache discovery and OpenAPI by.</summary>
    public int Generation { get; private set; }

    public IEnumerable<ApiResource> All => _byPath.Values;

    public ApiResource? Find(string group, string version, string plural) => _byPath.GetValueOrDefault((group, version, plural));

    /// <summary>Resources of a CRD by its name; empty when unknown.</summary>
    public IReadOnlyList<ApiResource> OfCrd(string crd) => _custom.GetValueOrDefault(crd, []);

    /// <summary>Serves these resources for the CRD, instead of what it served before.</summary>
    public void Replace(string crd, IEnumerable<ApiResource> resources)
    {
        lock (_gate)
        {
            var next = _byPath;
            foreach (var old in OfCrd(crd)) next = next.Remove((old.Group, old.Version, old.Plural));
            ImmutableArray<ApiResource> added = [.. resources];
            foreach (var resource in added) next = next.SetItem((resource.Group, resource.Version, resource.Plural), resource);
            _custom = added.IsEmpty ? _custom.Remove(crd) : _custom.SetItem(crd, added);
            _byPath = next;
            Generation++;
        }
    }
}
