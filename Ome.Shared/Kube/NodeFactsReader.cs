using k8s.Models;
using Ome.Shared.Domain.Models;

namespace Ome.Shared.Kube;

/// <summary>Node → <see cref="NodeFacts"/>: a Node is tens of kilobytes, its facts are its name and labels.</summary>
public static class NodeFactsReader
{
    /// <summary>Reads a Node; use it as the projection of an informer.</summary>
    public static NodeFacts Read(V1Node node) => new()
    {
        Name = node.Name(),
        Labels = new Dictionary<string, string>(node.Metadata.Labels ?? new Dictionary<string, string>(), StringComparer.Ordinal),
    };
}
