using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Objects;

namespace Ome.Agent.Staging.Oci;

/// <summary>
/// <c>oci://</c>: lists a prefix of a bucket with the digests the store publishes, filters TensorRT-LLM engines by the node's shape, and opens ranges
/// held to the listed entity tag (contract 4.10, 5).
/// </summary>
internal sealed class OciSource(OciOptions options, OciHttp http, OciAuthenticators authenticators, NodeShapes shapes) : IArtifactSource
{
    /// <inheritdoc/>
    public IReadOnlyCollection<string> Schemes { get; } = ["oci://"];

    /// <inheritdoc/>
    public async Task<ListingResult> ListAsync(SourceRequest request, CancellationToken cancellationToken)
    {
        var uri = (StorageUri.Oci)request.Uri;
        var (bucket, failure) = await request.Access.FindAsync(() => BucketAsync(request.Model, uri, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (bucket is null) return new ListingResult.Failed(Named(failure!, uri));
        var prefix = ObjectNames.ListPrefix(uri.Prefix);
        var (summaries, listFailure) = await NamesAsync(bucket, prefix, cancellationToken).ConfigureAwait(false);
        if (summaries is null) return new ListingResult.Failed(Named(listFailure!, uri));
        if (summaries.Count == 0) return NotFound(uri, $"nothing lies under the prefix '{prefix}'");

        var required = request.Node is { } node ? shapes.RequiredObjectPart(request.Model, node) : null;
        var wanted = summaries.Where(summary => ObjectNames.Passes(summary.Name!, required)).ToList();
        if (wanted.Count == 0) return NotFound(uri, $"none of the {summaries.Count} objects under '{prefix}' has '{required}' in its name: no engine was built for this node's shape");

        var (files, headFailure) = await FilesAsync(bucket, wanted, prefix, cancellationToken).ConfigureAwait(false);
        if (files is null) return new ListingResult.Failed(Named(headFailure!, uri));
        return ArtifactListing.TryCreate(null, files, out var listing, out var refusal) ? new ListingResult.Listed(listing) : new ListingResult.Failed(Named(refusal, uri));
    }

    /// <inheritdoc/>
    public async Task<OpenResult> OpenAsync(
        SourceRequest request, ArtifactListing listing, ArtifactFile file, long offset, long length, CancellationToken cancellationToken)
    {
        var uri = (StorageUri.Oci)request.Uri;
        var result = await request.Access.OpenAsync<OciBucket>(
            () => BucketAsync(request.Model, uri, cancellationToken),
            bucket => bucket.OpenAsync(file.SourceName!, file.Version, offset, length, file.Size, cancellationToken),
            cancellationToken).ConfigureAwait(false);
        return result is OpenResult.Failed failed ? new OpenResult.Failed(Named(failed.Failure, uri) with { Path = file.Path }) : result;
    }

    private async Task<(OciBucket? Bucket, StagingFailure? Failure)> BucketAsync(ModelSpec model, StorageUri.Oci uri, CancellationToken cancellationToken)
    {
        var (authenticator, failure) = await authenticators.FindAsync(model, cancellationToken).ConfigureAwait(false);
        if (authenticator is null) return (null, failure);
        var (endpoint, noEndpoint) = await EndpointAsync(model, uri, authenticator, cancellationToken).ConfigureAwait(false);
        if (endpoint is null) return (null, noEndpoint);
        var name = uri.Namespace;
        if (name.Length == 0)
        {
            var (found, noNamespace) = await OciBucket.NamespaceAsync(http, authenticator, endpoint, cancellationToken).ConfigureAwait(false);
            if (found is null) return (null, noNamespace);
            name = found;
        }

        return (new OciBucket(http, authenticator, endpoint, name, uri.Bucket), null);
    }

    // The model's word, then its address, then the credentials', then the agent's.
    private async Task<(Uri? Endpoint, StagingFailure? Failure)> EndpointAsync(
        ModelSpec model, StorageUri.Oci uri, IRequestAuthenticator authenticator, CancellationToken cancellationToken)
    {
        if (options.Endpoint is { } given) return (new Uri(given.TrimEnd('/') + "/"), null);
        var region = model.Parameters.GetValueOrDefault("region") is { Length: > 0 } asked ? asked
            : uri.Region.Length > 0 ? uri.Region
            : await authenticator.RegionAsync(cancellationToken).ConfigureAwait(false) ?? options.Region;
        if (region is null) return (null, new StagingFailure(StagingFailureReason.Refused, "no region is known: set spec.storage.parameters.region"));
        var name = OciRegion.Named(region);
        return OciRegion.IsName(name)
            ? (OciRegion.EndpointOf("objectstorage", name, options.RealmDomain), null)
            : (null, new StagingFailure(StagingFailureReason.Refused, "spec.storage names a region that is none: lower-case letters, digits and dashes, such as us-ashburn-1"));
    }

    private async Task<(List<ObjectSummary>? Objects, StagingFailure? Failure)> NamesAsync(OciBucket bucket, string prefix, CancellationToken cancellationToken)
    {
        var objects = new List<ObjectSummary>();
        string? start = null;
        do
        {
            var (page, failure) = await bucket.ListAsync(prefix, start, options.PageSize, cancellationToken).ConfigureAwait(false);
            if (page is null) return (null, failure);
            objects.AddRange((page.Objects ?? []).Where(found => found.Name is not null && !ObjectNames.IsFolderMarker(found.Name, found.Size ?? 0)));
            if (objects.Count > ArtifactListing.MaxFiles) return (null, new StagingFailure(StagingFailureReason.ListingInvalid, $"more than {ArtifactListing.MaxFiles} objects lie under '{prefix}'"));
            // A marker that does not move would list for ever.
            if (page.NextStartWith is { } next && string.CompareOrdinal(next, start) <= 0) return (null, new StagingFailure(StagingFailureReason.ListingInvalid, "the listing's pages go in circles"));
            start = page.NextStartWith;
        }
        while (start is not null);
        return (objects, null);
    }

    private async Task<(IReadOnlyList<ArtifactFile>? Files, StagingFailure? Failure)> FilesAsync(
        OciBucket bucket, List<ObjectSummary> objects, string prefix, CancellationToken cancellationToken)
    {
        var files = new ArtifactFile?[objects.Count];
        StagingFailure? failure = null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.HeadConcurrency, CancellationToken = stop.Token };
        try
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, objects.Count), parallel, async (index, token) =>
            {
                var (file, problem) = await FileAsync(bucket, objects[index], prefix, token).ConfigureAwait(false);
                files[index] = file;
                if (problem is null) return;
                Interlocked.CompareExchange(ref failure, problem, null);
                await stop.CancelAsync().ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (failure is not null)
        {
            // The first failure ends the rest.
        }

        return failure is null ? ([.. files.Select(file => file!)], null) : (null, failure);
    }

    private static async Task<(ArtifactFile? File, StagingFailure? Failure)> FileAsync(OciBucket bucket, ObjectSummary summary, string prefix, CancellationToken cancellationToken)
    {
        if (!ObjectNames.TryMap(summary.Name!, prefix, out var path, out var refusal))
            return (null, new StagingFailure(StagingFailureReason.ListingInvalid, $"the object '{summary.Name}' cannot become a file: {refusal}"));
        // The listing says enough of an object that was uploaded in one piece; of the others HEAD says more.
        var listed = ObjectExpectation.FromOci(summary.Md5 is { } md5 && !ObjectExpectation.IsMultipartForm(md5) ? md5 : null, null, null);
        var facts = new ObjectFacts(summary.Name!, summary.Size ?? -1, summary.Etag, listed);
        if (listed is not ObjectExpectation.Whole || summary.Size is null || summary.Etag is null)
        {
            var (found, failure) = await bucket.HeadAsync(summary.Name!, cancellationToken).ConfigureAwait(false);
            if (found is null) return (null, failure! with { Path = path });
            facts = found;
        }

        return (ArtifactFile.Of(path, facts.Size, facts.Expectation, facts.Name, facts.EntityTag), null);
    }

    private static ListingResult.Failed NotFound(StorageUri.Oci uri, string message) => new(Named(new StagingFailure(StagingFailureReason.NotFound, message), uri));

    private static StagingFailure Named(StagingFailure failure, StorageUri.Oci uri) => failure with { Message = $"bucket '{uri.Bucket}': {failure.Message}" };
}
