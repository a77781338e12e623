using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ome.Agent.Staging;

/// <summary>The part of <c>/api/models/{id}/revision/{rev}</c> that we use.</summary>
internal sealed record RevisionInfo(string? Sha);

/// <summary>One element of <c>/api/models/{id}/tree/{rev}</c>.</summary>
/// <param name="Type"><c>file</c> or <c>directory</c>.</param>
/// <param name="Path">From the repository's root.</param>
/// <param name="Oid">Git blob id; of the pointer when the file is in LFS.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Lfs">Set when the content is in LFS.</param>
internal sealed record TreeEntry(string? Type, string? Path, string? Oid, long Size, TreeLfs? Lfs);

/// <summary>The content behind an LFS pointer.</summary>
internal sealed record TreeLfs(string? Oid, long Size);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(RevisionInfo))]
[JsonSerializable(typeof(TreeEntry[]))]
internal sealed partial class HubJson : JsonSerializerContext;
