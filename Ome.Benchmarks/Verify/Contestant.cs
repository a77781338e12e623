namespace Ome.Benchmarks.Verify;

/// <summary>One way to digest the same files.</summary>
/// <param name="Name">In the table.</param>
/// <param name="Tool">Executable to be found on the PATH; null for our own child process.</param>
/// <param name="Package">Debian package that has it.</param>
/// <param name="Command">Command line for files and cores; run by <c>sh -c</c>.</param>
/// <param name="Slow">Slow, or no target hangs on it: fewer rounds.</param>
internal sealed record Contestant(string Name, string? Tool, string? Package, Func<Field, int, string> Command, bool Slow = false)
{
    public const string Chunks = "ome chunks (XXH128 per 64 MiB)";
    public const string Sha256 = "ome SHA-256";
    public const string Both = "ome SHA-256 + chunks";
    public const string Agent = "ome-agent verify DIR";
    public const string AgentSha256 = "ome-agent verify --digest sha256";
    public const string OpenSsl = "openssl dgst -sha256";
    public const string B3 = "b3sum";
    public const string Floor = "disk: O_DIRECT, no digest";
    public const string Loaded = "disk: O_DIRECT, each line loaded";

    private const string Python = "import hashlib,sys\nfor p in sys.argv[1:]:\n h=hashlib.sha256()\n with open(p,'rb') as f:\n  while b:=f.read(1<<20): h.update(b)\n print(h.hexdigest())";

    public static IReadOnlyList<Contestant> All { get; } =
    [
        new(Chunks, null, null, (field, _) => field.Child("chunks", 0)),
        new(Sha256, null, null, (field, _) => field.Child("sha256", 0)),
        new(Both, null, null, (field, _) => field.Child("both", 0), Slow: true),
        new(Agent, null, null, (field, _) => field.Agent($"verify {field.Directory}/files > /dev/null")),
        new(AgentSha256, null, null, (field, _) => field.Agent($"verify {field.Directory}/files --digest sha256 > /dev/null")),
        new(OpenSsl, "openssl", "openssl", (field, cores) => field.Each(cores, "openssl dgst -sha256")),
        new(B3, "b3sum", "b3sum", (field, cores) => $"b3sum --num-threads {cores} {field.FileList}"),
        new("xxhsum -H2 (XXH128)", "xxhsum", "xxhash", (field, cores) => field.Each(cores, "xxhsum -q -H2")),
        new("python3 hashlib, 1 MiB chunks", "python3", "python3", (field, cores) => field.Each(cores, $"python3 -c \"{Python}\""), Slow: true),
        new("plain loop, 1 MiB (.NET)", null, null, (field, _) => field.Child("plain", 1), Slow: true),
        new("rclone hashsum sha256", "rclone", "rclone", (field, cores) => $"rclone hashsum sha256 --checkers {cores} --exclude '.ome/**' {field.Directory}/files", Slow: true),
        new("sha256sum", "sha256sum", "coreutils", (field, cores) => field.Each(cores, "sha256sum"), Slow: true),
        new(Floor, null, null, (field, _) => field.Child("floor", 2)),
        new(Loaded, null, null, (field, _) => field.Child("loaded", 2)),
    ];

    public bool IsOurs => Tool is null;

    public bool IsThere => IsOnPath(Tool);

    public static bool IsOnPath(string? tool) => tool is null || (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Combine(directory, tool)));
}
