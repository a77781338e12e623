using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Objects;

namespace Ome.Agent.Staging.S3;

/// <summary>
/// <c>s3://</c> through the AWS SDK: lists a prefix of a bucket with the digests the store publishes (SHA-256 checksum of the whole object, entity tags that are
/// MD5s), and opens ranges held to the listed entity tag.
/// </summary>
internal sealed class S3Source(S3Options options, S3Clients clients, TimeProvider time) : IArtifactSource
{
    /// <inheritdoc/>
    public IReadOnlyCollection<string> Schemes { get; } = ["s3://"];

    /// <inheritdoc/>
    public async Task<ListingResult> ListAsync(SourceRequest request, CancellationToken cancellationToken)
    {
        var uri = (StorageUri.S3)request.Uri;
        var (client, refused) = await request.Access.FindAsync(() => clients.FindAsync(request.Model, uri, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (client is null) return new ListingResult.Failed(Named(refused!, uri));
        try
        {
            var prefix = ObjectNames.ListPrefix(uri.Prefix);
            var objects = await NamesAsync(client, uri.Bucket, prefix, cancellationToken).ConfigureAwait(false);
            if (objects.Count == 0) return new ListingResult.Failed(Named(new StagingFailure(StagingFailureReason.NotFound, $"nothing lies under the prefix '{prefix}'"), uri));
            if (objects.Count > ArtifactListing.MaxFiles) return new ListingResult.Failed(Named(new StagingFailure(StagingFailureReason.ListingInvalid, $"more than {ArtifactListing.MaxFiles} objects lie under '{prefix}'"), uri));
            var files = new ArtifactFile[objects.Count];
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.HeadConcurrency, CancellationToken = cancellationToken };
            for (var i = 0; i < objects.Count; i++)
            {
                if (ObjectNames.TryMap(objects[i].Key, prefix, out _, out var why)) continue;
                return new ListingResult.Failed(Named(new StagingFailure(StagingFailureReason.ListingInvalid, $"the object '{objects[i].Key}' cannot become a file: {why}"), uri));
            }

            await Parallel.ForEachAsync(Enumerable.Range(0, objects.Count), parallel, async (index, token) =>
                files[index] = await FileAsync(client, uri.Bucket, prefix, objects[index], token).ConfigureAwait(false)).ConfigureAwait(false);
            return ArtifactListing.TryCreate(null, files, out var listing, out var refusal) ? new ListingResult.Listed(listing) : new ListingResult.Failed(Named(refusal, uri));
        }
        catch (Exception e) when (S3Failure.IsExpected(e))
        {
            return new ListingResult.Failed(Named(S3Failure.From(e), uri));
        }
    }

    /// <inheritdoc/>
    public async Task<OpenResult> OpenAsync(
        SourceRequest request, ArtifactListing listing, ArtifactFile file, long offset, long length, CancellationToken cancellationToken)
    {
        var uri = (StorageUri.S3)request.Uri;
        // A range also for the whole: without one the SDK digests the body itself, a second time, and throws out of the last read.
        var get = new GetObjectRequest { BucketName = uri.Bucket, Key = file.SourceName, EtagToMatch = file.Version, ByteRange = new ByteRange(offset, offset + length - 1) };
        var result = await request.Access.OpenAsync<IAmazonS3>(
            () => clients.FindAsync(request.Model, uri, cancellationToken), client => GetAsync(client, get, offset, length, cancellationToken), cancellationToken).ConfigureAwait(false);
        return result is OpenResult.Failed failed ? new OpenResult.Failed(Named(failed.Failure, uri) with { Path = file.Path }) : result;
    }

    private async Task<OpenResult> GetAsync(IAmazonS3 client, GetObjectRequest get, long offset, long length, CancellationToken cancellationToken)
    {
        try
        {
            var response = await WithPatienceAsync(() => client.GetObjectAsync(get, cancellationToken), cancellationToken).ConfigureAwait(false);
            var start = response.ContentRange?.StartsWith($"bytes {offset}-", StringComparison.Ordinal) == true ? offset : 0;
            return new OpenResult.Opened(new BoundedStream(response.ResponseStream, length, owner: response) { SkipFirst = offset - start });
        }
        catch (Exception e) when (S3Failure.IsExpected(e))
        {
            return new OpenResult.Failed(S3Failure.From(e));
        }
    }

    private async Task<List<S3Object>> NamesAsync(IAmazonS3 client, string bucket, string prefix, CancellationToken cancellationToken)
    {
        var objects = new List<S3Object>();
        var request = new ListObjectsV2Request { BucketName = bucket, Prefix = prefix };
        ListObjectsV2Response page;
        do
        {
            page = await WithPatienceAsync(() => client.ListObjectsV2Async(request, cancellationToken), cancellationToken).ConfigureAwait(false);
            objects.AddRange((page.S3Objects ?? []).Where(found => !ObjectNames.IsFolderMarker(found.Key, found.Size ?? 0)));
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true && request.ContinuationToken is not null && objects.Count <= ArtifactListing.MaxFiles);
        return objects;
    }

    private async Task<ArtifactFile> FileAsync(IAmazonS3 client, string bucket, string prefix, S3Object found, CancellationToken cancellationToken)
    {
        ObjectNames.TryMap(found.Key, prefix, out var path, out _);
        var head = new GetObjectMetadataRequest { BucketName = bucket, Key = found.Key, ChecksumMode = ChecksumMode.ENABLED };
        var facts = await WithPatienceAsync(() => client.GetObjectMetadataAsync(head, cancellationToken), cancellationToken).ConfigureAwait(false);
        // Under a KMS or customer key the entity tag is no MD5 of the content.
        var plain = facts.ServerSideEncryptionMethod?.Value is null or "" or "AES256" && string.IsNullOrEmpty(facts.ServerSideEncryptionCustomerMethod?.Value);
        var expectation = plain ? ObjectExpectation.FromEntityTag(facts.ETag) : new ObjectExpectation.SizeOnly();
        var file = ArtifactFile.Of(path, facts.ContentLength, expectation, found.Key, facts.ETag);
        if (WholeSha256(facts) is { } sha256) file = file with { Digests = file.Digests.Insert(0, sha256) };
        return expectation is ObjectExpectation.Multipart multipart && await PartSizeAsync(client, head, multipart, cancellationToken).ConfigureAwait(false) is { } partSize
            ? file with { Alternatives = [ContentDigest.OfComposite(Convert.FromHexString(multipart.Value), multipart.Parts, partSize)] }
            : file;
    }

    // S3 says how large the first part was. An alternative all the same: parts that were copied in may differ in size.
    private async Task<long?> PartSizeAsync(IAmazonS3 client, GetObjectMetadataRequest head, ObjectExpectation.Multipart expectation, CancellationToken cancellationToken)
    {
        var first = new GetObjectMetadataRequest { BucketName = head.BucketName, Key = head.Key, PartNumber = 1 };
        var part = await WithPatienceAsync(() => client.GetObjectMetadataAsync(first, cancellationToken), cancellationToken).ConfigureAwait(false);
        return part.PartsCount == expectation.Parts && part.ContentLength > 0 ? part.ContentLength : null;
    }

    // A checksum of a checksum has a dash and the number of parts; only one of the whole object says something of its bytes.
    private static ContentDigest? WholeSha256(GetObjectMetadataResponse facts)
    {
        var bytes = new byte[SHA256.HashSizeInBytes];
        return facts.ChecksumSHA256 is { } text && facts.ChecksumType != ChecksumType.COMPOSITE && Convert.TryFromBase64String(text, bytes, out var length) && length == bytes.Length
            ? ContentDigest.Of(DigestAlgorithm.Sha256, bytes)
            : null;
    }

    // The SDK retries without listening to Retry-After; a store that asks for a short pause gets it, once.
    private async Task<T> WithPatienceAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (S3Failure.RetryAfter(e) is { } wait && wait <= options.LongestWait)
        {
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
            return await call().ConfigureAwait(false);
        }
    }

    private static StagingFailure Named(StagingFailure failure, StorageUri.S3 uri) => failure with { Message = $"bucket '{uri.Bucket}': {failure.Message}" };
}
