using Ome.Agent.Staging;

namespace Ome.Tests.Contracts;

/// <summary>A source connected to a fake of its service that can be told to fail. One per test; disposed with it.</summary>
public abstract class ArtifactSourceBed : ArtifactBed
{
    /// <summary>What the fake must never see leave it: planted as the credential of <see cref="Request"/>.</summary>
    public const string PlantedSecret = "planted-secret-4711";

    public abstract IArtifactSource Source { get; }

    /// <summary>Asks for the whole artifact with good credentials.</summary>
    public abstract SourceRequest Request { get; }

    /// <summary>Asks for the artifact with no credentials at all.</summary>
    public abstract SourceRequest RequestWithoutCredentials { get; }

    /// <summary>Asks for an artifact that does not exist, with good credentials.</summary>
    public abstract SourceRequest RequestForNothing { get; }

    /// <summary>True when an artifact's revision can be pinned and read after the branch moved.</summary>
    public abstract bool HasRevisions { get; }

    /// <summary>Requests the fake received, as <c>METHOD path</c>, in order.</summary>
    public abstract IReadOnlyList<string> Requests { get; }

    /// <summary>From now on credentials are asked for.</summary>
    public abstract void RequireCredentials();

    /// <summary>The next body of a file ends after so many bytes, with the connection reset.</summary>
    public abstract void CutNextBody(string path, long afterBytes);

    /// <summary>The next body of a file stops giving bytes after so many, connection open.</summary>
    public abstract void StallNextBody(string path, long afterBytes);

    /// <summary>The next so many requests are answered 429 with Retry-After.</summary>
    public abstract void RateLimit(int requests, TimeSpan retryAfter);

    /// <summary>The next so many requests are answered 503.</summary>
    public abstract void Break(int requests);

    /// <summary>Bodies of a file hold other bytes of the same length, so many times; its published digests stay.</summary>
    public abstract void CorruptBodies(string path, int times);

    public sealed override async Task<IReadOnlyList<TakenFile>> TakeAsync(CancellationToken cancellationToken)
    {
        var listing = (await Source.ListAsync(Request, cancellationToken)).Should().BeOfType<ListingResult.Listed>().Which.Listing;
        return [.. listing.Files.Select(static file => new TakenFile(file.Path.Value, file.Size, file.Digests))];
    }

    public sealed override async Task<StagingFailure> FailAsync(CancellationToken cancellationToken) =>
        (await Source.ListAsync(RequestForNothing, cancellationToken)).Should().BeOfType<ListingResult.Failed>().Which.Failure;
}
