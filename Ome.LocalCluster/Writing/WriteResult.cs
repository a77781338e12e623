using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Writing;

/// <summary>An object as stored (or as it would be), in the request's version.</summary>
/// <param name="Tree">The object.</param>
/// <param name="Created">True when it did not exist before.</param>
/// <param name="Warnings">For <c>Warning</c> headers.</param>
public sealed record WriteResult(JsonObject Tree, bool Created, IReadOnlyList<string> Warnings);
