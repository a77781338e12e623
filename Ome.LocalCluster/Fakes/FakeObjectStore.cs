using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Ome.LocalCluster.Fakes;

/// <summary>
/// An object store on loopback for tests and the demo: OCI Object Storage with its request signatures, instance metadata and token exchanges on one
/// port, the part of S3 that reading needs on another. One bucket namespace, one set of objects, switches to make each request fail.
/// </summary>
public sealed class FakeObjectStore : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, SortedDictionary<string, StoredBlob>> _buckets = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _requests = new();
    private long _bodyBytes;
    private int _version;

    private FakeObjectStore(WebApplication app, TimeProvider time)
    {
        _app = app;
        Callers = new OciCallers(time);
    }

    /// <summary>Where OCI's services listen.</summary>
    public string Endpoint { get; private set; } = "";

    /// <summary>Where S3 listens, path style.</summary>
    public string S3Endpoint { get; private set; } = "";

    /// <summary>Scopes: Api is everything but reading objects, Body is reading objects.</summary>
    public HubFaults Faults { get; } = new();

    /// <summary>Who may sign, and what was refused.</summary>
    public OciCallers Callers { get; }

    /// <summary>Objects on one page of a listing; the real one has 1,000.</summary>
    public int PageSize { get; set; } = 1000;

    /// <summary>The tenancy's namespace.</summary>
    public string Namespace { get; init; } = "fake-namespace";

    /// <summary>Every request must be signed (OCI) or name a known access key (S3).</summary>
    public bool RequiresCredentials { get; set; }

    /// <summary>S3 access key ids that are known.</summary>
    public ISet<string> AccessKeys { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Token of a pre-authenticated request for the whole namespace; null for none.</summary>
    public string? PreAuthenticatedToken { get; set; }

    /// <summary>Requests so far as <c>METHOD path</c>, without query.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    /// <summary>Bytes of object content sent so far.</summary>
    public long BodyBytesSent => Interlocked.Read(ref _bodyBytes);

    /// <summary>Starts listening on loopback.</summary>
    /// <param name="time">Clock that signatures are held to.</param>
    /// <param name="port">Port of the OCI side; 0 takes a free one.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public static async Task<FakeObjectStore> StartAsync(TimeProvider? time = null, int port = 0, CancellationToken cancellationToken = default)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port);
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MinResponseDataRate = null;
        });
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        // A stalled body must not hold up the end of a test.
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(200));
        var app = builder.Build();
        var store = new FakeObjectStore(app, time ?? TimeProvider.System);
        var (oci, s3) = (new OciRoutes(store), new S3Routes(store));
        app.Run(context => context.Connection.LocalPort == new Uri(store.Endpoint).Port ? oci.HandleAsync(context) : s3.HandleAsync(context));
        await app.StartAsync(cancellationToken).ConfigureAwait(false);
        var addresses = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.ToList();
        (store.Endpoint, store.S3Endpoint) = (addresses[0], addresses[1]);
        return store;
    }

    /// <summary>Puts an object, as uploaded in one piece.</summary>
    public void Put(string bucket, string name, byte[] bytes) => Put(bucket, name, StoredBlob.Of(bytes, Interlocked.Increment(ref _version)));

    /// <summary>Puts an object.</summary>
    public void Put(string bucket, string name, StoredBlob blob)
    {
        var objects = _buckets.GetOrAdd(bucket, static _ => new SortedDictionary<string, StoredBlob>(StringComparer.Ordinal));
        lock (objects) objects[name] = blob;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    internal bool HasBucket(string bucket) => _buckets.ContainsKey(bucket);

    internal StoredBlob? Find(string bucket, string name)
    {
        if (!_buckets.TryGetValue(bucket, out var objects)) return null;
        lock (objects) return objects.GetValueOrDefault(name);
    }

    /// <summary>One page of names, and the name the next begins with.</summary>
    internal (List<KeyValuePair<string, StoredBlob>> Page, string? Next) List(string bucket, string prefix, string? start, int limit)
    {
        var objects = _buckets[bucket];
        lock (objects)
        {
            var found = objects.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal) && (start is null || string.CompareOrdinal(entry.Key, start) >= 0))
                .Take(Math.Min(limit, PageSize) + 1).ToList();
            if (found.Count <= Math.Min(limit, PageSize)) return (found, null);
            var next = found[^1].Key;
            found.RemoveAt(found.Count - 1);
            return (found, next);
        }
    }

    internal void Saw(string request) => _requests.Enqueue(request);

    internal void Gives(long bytes) => Interlocked.Add(ref _bodyBytes, bytes);
}
