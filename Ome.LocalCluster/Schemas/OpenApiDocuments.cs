using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;

namespace Ome.LocalCluster.Schemas;

/// <summary>A kind as the OpenAPI documents need it.</summary>
/// <param name="Group">Empty for the core group.</param>
/// <param name="Version">e.g. <c>v1beta1</c>.</param>
/// <param name="Kind">e.g. <c>ClusterBaseModel</c>.</param>
/// <param name="Plural">Name in the URL.</param>
/// <param name="Namespaced">Scope.</param>
/// <param name="Subresources">e.g. <c>status</c>, <c>scale</c>.</param>
/// <param name="Schema">The structural schema of a custom resource; null for built-in kinds, whose schemas ship with this library.</param>
public sealed record OpenApiKind(
    string Group, string Version, string Kind, string Plural, bool Namespaced, IReadOnlyCollection<string> Subresources, StructuralSchema? Schema = null)
{
    /// <summary>Path part of the group and version: <c>api/v1</c> or <c>apis/ome.io/v1beta1</c>.</summary>
    public string GroupVersionPath => Group.Length == 0 ? $"api/{Version}" : $"apis/{Group}/{Version}";
}

/// <summary>The documents under <c>/openapi</c>: enough for kubectl explain, apply, diff and validation.</summary>
public static class OpenApiDocuments
{
    /// <summary>Merge rules of a built-in kind; <see cref="MergeSchema.Unknown"/> when it ships no schema.</summary>
    public static MergeSchema MergeSchemaOf(string group, string version, string kind) => MergeSchema.Unknown;

    /// <summary><c>/openapi/v2</c> as JSON.</summary>
    public static JsonObject BuildV2(IReadOnlyCollection<OpenApiKind> kinds) => new() { ["swagger"] = "2.0", ["paths"] = new JsonObject(), ["definitions"] = new JsonObject() };

    /// <summary><c>/openapi/v3</c>: the index from group-version path to document, with a hash for caching.</summary>
    public static JsonObject BuildV3Index(IReadOnlyCollection<OpenApiKind> kinds) => new() { ["paths"] = new JsonObject() };

    /// <summary><c>/openapi/v3/{path}</c>; null when no kind lives there.</summary>
    /// <param name="groupVersionPath">e.g. <c>api/v1</c>, <c>apis/ome.io/v1beta1</c>.</param>
    /// <param name="kinds">All served kinds.</param>
    public static JsonObject? BuildV3(string groupVersionPath, IReadOnlyCollection<OpenApiKind> kinds) => null;
}
