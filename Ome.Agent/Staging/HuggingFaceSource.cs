using System.Globalization;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Staging;

/// <summary>
/// <c>hf://</c>: lists a repository at a pinned commit with every size and digest the hub publishes (SHA-256 for LFS files, git blob ids for the
/// others), and opens ranges through the hub's <c>resolve</c> route.
/// </summary>
public sealed class HuggingFaceSource(HubClient hub, HuggingFaceToken tokens) : IArtifactSource
{
    private const int MostPages = 1000;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Schemes { get; } = ["hf://"];

    /// <inheritdoc/>
    public async Task<ListingResult> ListAsync(SourceRequest request, CancellationToken cancellationToken)
    {
        var uri = (StorageUri.HuggingFace)request.Uri;
        var (access, unknown) = await request.Access.FindAsync(() => AccessAsync(request.Model, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (access is null) return new ListingResult.Failed(Named(unknown!, uri));
        var token = access.Token;
        var commit = request.PinnedRevision;
        if (commit is null)
        {
            var wanted = uri.Revision.Length == 0 ? StorageUri.HuggingFace.DefaultRevision : uri.Revision;
            var info = await hub.GetJsonAsync(Api(uri, "revision", wanted), token, HubJson.Default.RevisionInfo, cancellationToken).ConfigureAwait(false);
            if (info.Failure is not null) return new ListingResult.Failed(Named(info.Failure, uri));
            commit = info.Value!.Sha;
            if (commit is not { Length: 40 or 64 } || !commit.All(char.IsAsciiHexDigitLower)) return Invalid($"the hub gives '{uri.ModelId}' no commit sha");
        }

        var files = new List<ArtifactFile>();
        var next = hub.Resolve(Api(uri, "tree", commit) + "?recursive=true&expand=false");
        for (var page = 0; next is not null; page++)
        {
            if (page == MostPages) return Invalid($"the tree of '{uri.ModelId}' has more than {MostPages} pages");
            var answer = await hub.GetJsonAsync(next, token, HubJson.Default.TreeEntryArray, cancellationToken).ConfigureAwait(false);
            if (answer.Failure is not null) return new ListingResult.Failed(Named(answer.Failure, uri));
            foreach (var entry in answer.Value!.Where(entry => entry.Type == "file"))
            {
                if (FileOf(entry, out var problem) is not { } file) return Invalid(problem!);
                files.Add(file);
                if (files.Count > ArtifactListing.MaxFiles) return Invalid($"'{uri.ModelId}' holds more than {ArtifactListing.MaxFiles} files");
            }

            next = answer.Next;
        }

        return ArtifactListing.TryCreate(commit, files, out var listing, out var refusal) ? new ListingResult.Listed(listing) : new ListingResult.Failed(refusal);
    }

    /// <inheritdoc/>
    public async Task<OpenResult> OpenAsync(
        SourceRequest request, ArtifactListing listing, ArtifactFile file, long offset, long length, CancellationToken cancellationToken)
    {
        var uri = (StorageUri.HuggingFace)request.Uri;
        var path = string.Join('/', file.Path.Value.Split('/').Select(Uri.EscapeDataString));
        var address = hub.Resolve($"{Escaped(uri)}/resolve/{listing.Revision}/{path}");
        var result = await request.Access.OpenAsync<HubAccess>(
            () => AccessAsync(request.Model, cancellationToken), access => hub.OpenRangeAsync(address, access.Token, offset, length, file.Size, cancellationToken), cancellationToken).ConfigureAwait(false);
        return result is OpenResult.Failed failed ? new OpenResult.Failed(Named(failed.Failure, uri) with { Path = file.Path }) : result;
    }

    private async Task<(HubAccess? Access, StagingFailure? Failure)> AccessAsync(ModelSpec model, CancellationToken cancellationToken) =>
        (new HubAccess(await tokens.FindAsync(model, cancellationToken).ConfigureAwait(false)), null);

    private static ArtifactFile? FileOf(TreeEntry entry, out string? problem)
    {
        if (!ArtifactPath.TryParse(entry.Path, out var path, out problem))
        {
            problem = $"the hub lists the path '{entry.Path}': {problem}";
            return null;
        }

        // For an LFS file the blob id is that of its pointer, not of its content.
        var (text, size) = entry.Lfs is { } lfs ? ("sha256:" + Hex(lfs.Oid), lfs.Size) : ("git-sha1:" + entry.Oid, entry.Size);
        if (ContentDigest.TryParse(text, out var digest)) return new ArtifactFile(path, size, [digest.Value]);

        // Repositories in git's SHA-256 object format publish blob ids we do not take; such a file is proven by its size and our own digests only.
        if (entry.Lfs is null) return new ArtifactFile(path, size, []);
        problem = $"the hub lists '{path}' with a digest that is none";
        return null;
    }

    private static string? Hex(string? oid) => oid?.StartsWith("sha256:", StringComparison.Ordinal) == true ? oid[7..] : oid;

    private static string Escaped(StorageUri.HuggingFace uri) => string.Join('/', uri.ModelId.Trim().Split('/').Select(Uri.EscapeDataString));

    private static string Api(StorageUri.HuggingFace uri, string route, string revision) => $"api/models/{Escaped(uri)}/{route}/{Uri.EscapeDataString(revision)}";

    private static ListingResult.Failed Invalid(string message) => new(new StagingFailure(StagingFailureReason.ListingInvalid, message));

    private static StagingFailure Named(StagingFailure failure, StorageUri.HuggingFace uri) =>
        failure with { Message = string.Create(CultureInfo.InvariantCulture, $"'{uri.ModelId}': {failure.Message}") };

    /// <summary>A token, or none: both are known answers.</summary>
    private sealed class HubAccess(Secret? token)
    {
        public Secret? Token { get; } = token;
    }
}
