using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Ome.LocalCluster.Fakes;

/// <summary>One answer with file bytes.</summary>
/// <param name="Path">Of the file.</param>
/// <param name="Offset">Of its first byte.</param>
public sealed record HubBody(string Path, long Offset)
{
    private long _sent;
    private long _reached;

    /// <summary>Bytes handed to the connection so far; what a reset throws away is among them.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Bytes that surely reached the client's machine: it has acknowledged them. A reset does not take them back; a client that dies loses what it had not read.</summary>
    public long Reached => Interlocked.Read(ref _reached);

    /// <summary>Called by the one writer of the body.</summary>
    internal void Add(long bytes, long underWay)
    {
        var sent = Interlocked.Add(ref _sent, bytes);
        Interlocked.Exchange(ref _reached, Math.Max(_reached, sent - underWay));
    }
}

/// <summary>
/// A Hugging Face hub on loopback for tests and the demo: the real routes, headers, paging and redirects, and switches to make each of them fail.
/// Large files are served by a second listener on another port, as the real hub's CDN is another host: a client that sends it
/// the hub's Authorization is found out in <see cref="LeakedAuthorizations"/>.
/// </summary>
public sealed class FakeHub : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, HubRepository> _repositories = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly ConcurrentQueue<string> _leaks = new();
    private readonly ConcurrentQueue<HubBody> _bodies = new();
    private long _bodyBytes;

    private FakeHub(WebApplication app) => _app = app;

    /// <summary>Where the API listens, e.g. <c>http://127.0.0.1:40123</c>; a client's <c>HF_ENDPOINT</c>.</summary>
    public string Endpoint { get; private set; } = "";

    /// <summary>Where large files come from.</summary>
    public string CdnEndpoint { get; private set; } = "";

    public HubFaults Faults { get; } = new();

    /// <summary>Entries on one page of a tree; the real hub has 1,000.</summary>
    public int PageSize { get; set; } = 1000;

    /// <summary>Origin of the links from page to page; null = <see cref="Endpoint"/>. A mirror passes on those of the hub it copies.</summary>
    public string? PageLinkOrigin { get; set; }

    /// <summary>Tokens that may read gated and private repositories.</summary>
    public ISet<string> GrantedTokens { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Tokens of users without any grant.</summary>
    public ISet<string> KnownTokens { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>In every signed CDN URL; must never show up anywhere else.</summary>
    public string UrlSignature { get; init; } = "fake-url-signature";

    /// <summary>Requests so far as <c>METHOD path</c>, without query.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    /// <summary>CDN requests that carried an Authorization header.</summary>
    public IReadOnlyList<string> LeakedAuthorizations => [.. _leaks];

    /// <summary>Bytes of file content sent so far.</summary>
    public long BodyBytesSent => Interlocked.Read(ref _bodyBytes);

    /// <summary>Answers with file bytes so far, in the order they began.</summary>
    public IReadOnlyList<HubBody> Bodies => [.. _bodies];

    /// <summary>Starts listening on loopback.</summary>
    /// <param name="port">Port of the API; 0 takes a free one.</param>
    /// <param name="urlSignature">Replaces <see cref="UrlSignature"/>.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public static async Task<FakeHub> StartAsync(int port = 0, string? urlSignature = null, CancellationToken cancellationToken = default)
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
        var hub = urlSignature is null ? new FakeHub(app) : new FakeHub(app) { UrlSignature = urlSignature };
        app.Run(new FakeHubRoutes(hub).HandleAsync);
        await app.StartAsync(cancellationToken).ConfigureAwait(false);
        var addresses = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.ToList();
        (hub.Endpoint, hub.CdnEndpoint) = (addresses[0], addresses[1]);
        return hub;
    }

    /// <summary>The repository, made empty if it is new.</summary>
    public HubRepository Repository(string id) => _repositories.GetOrAdd(id, static name => new HubRepository(name));

    /// <summary>Makes (or moves) a repository from files in memory.</summary>
    public HubRepository Add(string id, IEnumerable<KeyValuePair<string, byte[]>> files)
    {
        var repository = Repository(id);
        repository.Commit(files.Select(file => KeyValuePair.Create(file.Key, HubContent.Of(file.Key, file.Value))));
        return repository;
    }

    /// <summary>Makes (or moves) a repository from a directory; its bytes stay there.</summary>
    public HubRepository AddDirectory(string id, string directory)
    {
        var repository = Repository(id);
        repository.Commit(Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
            .Select(file => (File: file, Path: Path.GetRelativePath(directory, file).Replace('\\', '/')))
            .Where(file => !file.Path.StartsWith(".git/", StringComparison.Ordinal))
            .Select(file => KeyValuePair.Create(file.Path, HubContent.OfFile(file.Path, file.File))));
        return repository;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    internal bool TryFind(string id, out HubRepository repository) => _repositories.TryGetValue(id, out repository!);

    internal void Saw(string request) => _requests.Enqueue(request);

    internal void SawLeak(string request) => _leaks.Enqueue(request);

    internal void Began(HubBody body) => _bodies.Enqueue(body);

    internal void Gives(long bytes) => Interlocked.Add(ref _bodyBytes, bytes);
}
