using System.Diagnostics;

namespace Ome.Tests.Agent.Host;

/// <summary>One model of a simulated fleet: what was done to its files, what its node advertised, and whether the two fit.</summary>
/// <param name="name">Name of the model.</param>
/// <param name="node">Name of its node.</param>
/// <param name="directory">Where its files lie.</param>
/// <param name="good">The same files, never touched.</param>
internal sealed class SimulatedModel(string name, string node, string directory, string good)
{
    private readonly Lock _gate = new();
    private readonly List<TimeSpan> _timesToWithdrawal = [];
    private readonly List<string> _violations = [];
    private string _lastDamage = "nothing";
    private string? _label;
    private long _damagedAt;
    private long _since = Stopwatch.GetTimestamp();
    private int _damagesWhenReady;

    public string Name => name;

    public bool IsDamaged { get; private set; }

    public int Damages { get; private set; }

    /// <summary>Intact, and seen so: a verdict that comes later is about what comes now.</summary>
    public bool MayBeDamaged
    {
        get
        {
            lock (_gate) return !IsDamaged && _label == "Ready" && _damagesWhenReady == Damages;
        }
    }

    public IReadOnlyList<TimeSpan> TimesToWithdrawal
    {
        get
        {
            lock (_gate) return [.. _timesToWithdrawal];
        }
    }

    public static bool IsAdvertised(SimulatedModel model)
    {
        lock (model._gate) return model._label == "Ready" && !model.IsDamaged;
    }

    /// <summary>What is advertised is what is.</summary>
    public static bool IsTold(SimulatedModel model)
    {
        lock (model._gate) return model._label == (model.IsDamaged ? "Failed" : "Ready");
    }

    public void Damage(Random random)
    {
        lock (_gate)
        {
            var file = Any(random);
            // First noted, then done: a verdict may come before this returns.
            (IsDamaged, _damagedAt, _since) = (true, Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp());
            Damages++;
            _lastDamage = Damage(random.Next(8), file);
        }
    }

    public void Mend()
    {
        lock (_gate)
        {
            if (Directory.Exists(directory + ".old")) Directory.Move(directory + ".old", directory);
            foreach (var from in Directory.GetFiles(good))
            {
                var to = Path.Combine(directory, Path.GetFileName(from));
                if (Directory.Exists(to)) Directory.Delete(to);
                if (!File.Exists(to) || !Same(from, to)) File.Copy(from, to, overwrite: true);
            }

            (IsDamaged, _since) = (false, Stopwatch.GetTimestamp());
        }
    }

    /// <summary>Things that happen to good files.</summary>
    public void Touch(Random random)
    {
        lock (_gate)
        {
            var file = Any(random);
            switch (random.Next(4))
            {
                case 0:
                    File.SetLastWriteTimeUtc(file, File.GetLastWriteTimeUtc(file).AddSeconds(1));
                    break;
                case 1:
                    new FileInfo(file).IsReadOnly ^= true;
                    new FileInfo(file).IsReadOnly ^= true;
                    break;
                case 2:
                    File.WriteAllText(Path.Combine(directory, "notes.lock"), "extra");
                    break;
                default:
                    // The same bytes as another file, renamed over it.
                    File.Copy(file, file + ".incomplete", overwrite: true);
                    File.Move(file + ".incomplete", file, overwrite: true);
                    break;
            }
        }
    }

    /// <summary>Its agent was away until now.</summary>
    public void AgentStarted()
    {
        lock (_gate) _since = Stopwatch.GetTimestamp();
    }

    public void Advertised(string? label)
    {
        lock (_gate)
        {
            if (label == _label) return;
            if (label == "Ready" && !IsDamaged) _damagesWhenReady = Damages;
            if (label == "Ready" && _label is not null && IsDamaged && _damagesWhenReady != Damages - 1) _violations.Add($"{this}: advertised again while damaged");
            if (label == "Failed")
            {
                if (!IsDamaged && _damagesWhenReady == Damages) _violations.Add($"{this}: withdrawn, and it was not damaged since it was Ready");
                else if (IsDamaged) _timesToWithdrawal.Add(Stopwatch.GetElapsedTime(_damagedAt));
            }

            _label = label;
        }
    }

    /// <summary>Fails the test when advertisement and files differed for longer than the bound, or ever wrongly; without a bound only the latter.</summary>
    public void HoldInvariants(TimeSpan? bound)
    {
        lock (_gate)
        {
            _violations.Should().BeEmpty();
            if (bound is not { } most || Stopwatch.GetElapsedTime(_since) < most) return;
            if (IsDamaged && _label == "Ready") Assert.Fail($"{this}: damaged and still Ready");
            if (!IsDamaged && _label == "Failed") Assert.Fail($"{this}: intact and still Failed");
        }
    }

    public override string ToString() =>
        $"{name} on {node}: {(IsDamaged ? "damaged" : "intact")} for {Stopwatch.GetElapsedTime(_since).TotalSeconds:F1} s, label {_label ?? "none"}, damaged {Damages} times, last by {_lastDamage}";

    /// <summary>A file of the model; what else lies in its directory is nobody's.</summary>
    private string Any(Random random)
    {
        var names = Directory.GetFiles(good).Select(static file => Path.GetFileName(file)).Order(StringComparer.Ordinal).ToList();
        return Path.Combine(directory, names[random.Next(names.Count)]);
    }

    private string Damage(int kind, string file)
    {
        switch (kind)
        {
            case 0:
                File.Delete(file);
                return "unlink of " + Path.GetFileName(file);
            case 1:
                Change(file, static stream => stream.SetLength(stream.Length / 2));
                return "truncation of " + Path.GetFileName(file);
            case 2:
                Change(file, static stream => stream.SetLength(stream.Length + 1));
                return "a byte appended to " + Path.GetFileName(file);
            case 3:
                Directory.Move(directory, directory + ".old");
                return "renaming of the directory";
            case 4:
                File.Delete(file);
                Directory.CreateDirectory(file);
                return "a directory in place of " + Path.GetFileName(file);
            case 5:
                File.Move(file, file + ".moved", overwrite: true);
                return "renaming of " + Path.GetFileName(file);
            default:
                var mtime = File.GetLastWriteTimeUtc(file);
                Change(file, stream => Flip(stream, kind == 6 ? stream.Length - 1 : 0));
                File.SetLastWriteTimeUtc(file, mtime);
                return $"a flipped bit at the {(kind == 6 ? "end" : "beginning")} of {Path.GetFileName(file)}";
        }
    }

    private static void Change(string file, Action<FileStream> change)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
        change(stream);
    }

    private static void Flip(FileStream stream, long at)
    {
        stream.Position = at;
        var value = stream.ReadByte();
        stream.Position = at;
        stream.WriteByte((byte)(value ^ 1));
    }

    private static bool Same(string one, string other) => Support.TestFiles.Bytes(one).AsSpan().SequenceEqual(Support.TestFiles.Bytes(other));
}
