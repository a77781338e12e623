using Ome.Agent.Verification;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Support;

/// <summary>
/// Real probes that lie when told to: <paramref name="fault"/> gets the kind of look (<c>stat</c>, <c>read</c>, <c>structure</c>), the path, the
/// purpose of a read and how many times that look was taken before; null means the truth.
/// </summary>
internal sealed class FaultyProbes(ReadEngine engine, FaultyProbes.Fault fault) : IFileProbe, IStatPass, IStructureProbe
{
    private readonly FileProbe _files = new(engine);
    private readonly StatPass _stats = new(engine);
    private readonly StructureProbe _structure = new(engine);
    private readonly Dictionary<(string, ArtifactPath), int> _looks = [];

    public delegate FileObservation? Fault(string look, ArtifactPath path, ReadPurpose? purpose, int before);

    public static VerificationRunner Runner(ReadEngine engine, Fault fault)
    {
        var probes = new FaultyProbes(engine, fault);
        return new VerificationRunner(engine, new CheckProbes(probes, probes, probes), TimeProvider.System);
    }

    public FileObservation Stat(ArtifactRoot root, ArtifactPath path) => Ask("stat", path, null) ?? _files.Stat(root, path);

    public async Task<FileObservation> ReadAsync(ArtifactRoot root, ArtifactPath path, ReadRequest request, CancellationToken cancellationToken) =>
        Ask("read", path, request.Purpose) ?? await _files.ReadAsync(root, path, request, cancellationToken);

    public Task<StatPassEnd> ScanAsync(ArtifactRoot root, Action<TreeEntry> visit, CancellationToken cancellationToken) =>
        _stats.ScanAsync(root, visit, cancellationToken);

    public Task<StatPassEnd> StatAsync(ArtifactRoot root, IReadOnlyList<ArtifactPath> paths, Action<int, FileSeen> visit, CancellationToken cancellationToken) =>
        _stats.StatAsync(root, paths, (index, seen) => visit(index, Ask("stat", paths[index], null) is { } fault ? new FileSeen(default, fault) : seen), cancellationToken);

    public async Task<StructureLook> ExamineAsync(ArtifactRoot root, ArtifactPath path, FileRole role, CancellationToken cancellationToken) =>
        Ask("structure", path, null) is { } failure ? new StructureLook(null, failure) : await _structure.ExamineAsync(root, path, role, cancellationToken);

    private FileObservation? Ask(string look, ArtifactPath path, ReadPurpose? purpose)
    {
        lock (_looks)
        {
            var before = _looks.GetValueOrDefault((look, path));
            _looks[(look, path)] = before + 1;
            return fault(look, path, purpose, before);
        }
    }
}
