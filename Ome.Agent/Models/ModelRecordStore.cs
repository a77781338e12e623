using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Ome.Agent.Files;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Models;

/// <summary>
/// The records of all models, in memory and under <c>&lt;state-dir&gt;/models/&lt;digest of the key&gt;/</c>, one file each.
/// A record that cannot be read is reported and treated as absent: its model is proven anew, never assumed.
/// </summary>
public sealed partial class ModelRecordStore
{
    private const int MaxBytes = 1 << 20;
    private const string FileName = "record.json";

    private readonly ConcurrentDictionary<ModelKey, ModelRecord> _records = new();
    private readonly string _directory;
    private readonly ILogger _logger;

    /// <summary>Reads all records there are.</summary>
    /// <exception cref="IOException">The directory cannot be made or listed.</exception>
    public ModelRecordStore(string stateDirectory, ILogger<ModelRecordStore> logger)
    {
        _directory = Path.Combine(stateDirectory, "models");
        _logger = logger;
        Directory.CreateDirectory(_directory);
        foreach (var directory in Directory.EnumerateDirectories(_directory)) Load(Path.Combine(directory, FileName));
    }

    /// <summary>A record was saved or removed; called by whoever did it, so it must not block or throw.</summary>
    public event EventHandler? Changed;

    public IReadOnlyCollection<ModelRecord> All => [.. _records.Values];

    public ModelRecord? Find(ModelKey key) => _records.GetValueOrDefault(key);

    /// <summary>Where a model's record lies; made on first use.</summary>
    public string DirectoryOf(ModelKey key)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{key.Kind}/{key.Namespace}/{key.Name}"));
        var directory = Path.Combine(_directory, Convert.ToHexStringLower(digest.AsSpan(0, 16)));
        Directory.CreateDirectory(directory);
        return directory;
    }

    /// <summary>Durable when it returns.</summary>
    public void Save(ModelRecord record)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(record, RecordJson.Default.ModelRecord);
        AtomicFile.Write(Path.Combine(DirectoryOf(record.Key), FileName), [.. Checksum(json), (byte)'\n', .. json]);
        _records[record.Key] = record;
        Changed?.Invoke(this, EventArgs.Empty);
    }

    /// <summary>Keeps a newer version in memory only: for what a restart may forget, such as when a check that found nothing new was.</summary>
    public void Keep(ModelRecord record) => _records[record.Key] = record;

    /// <summary>Forgets the model.</summary>
    public void Remove(ModelKey key)
    {
        _records.TryRemove(key, out _);
        // The record goes first: what a crash leaves behind then belongs to nobody and is swept at the next removal.
        var directory = DirectoryOf(key);
        AtomicFile.Delete(Path.Combine(directory, FileName));
        Directory.Delete(directory, recursive: true);
        Changed?.Invoke(this, EventArgs.Empty);
    }

    private void Load(string path)
    {
        try
        {
            if (AtomicFile.Read(path, MaxBytes) is not { } content) return;
            var end = Array.IndexOf(content, (byte)'\n');
            var json = content.AsSpan(end + 1);
            if (end < 0 || !content.AsSpan(0, end).SequenceEqual(Checksum(json))) throw new JsonException("its checksum differs");
            var record = JsonSerializer.Deserialize(json, RecordJson.Default.ModelRecord) ?? throw new JsonException("it is null");
            if (record.Version != ModelRecord.CurrentVersion) throw new JsonException($"its version is {record.Version}");
            _records[record.Key] = record;
        }
        catch (Exception unreadable) when (unreadable is JsonException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            LogUnreadable(path, unreadable.Message);
        }
    }

    private static byte[] Checksum(ReadOnlySpan<byte> json) => Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(json)));

    [LoggerMessage(EventId = 2001, Level = LogLevel.Warning, Message = "The record {Path} cannot be read: {Problem}. Its model will be proven anew.")]
    private partial void LogUnreadable(string path, string problem);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ModelRecord))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class RecordJson : JsonSerializerContext;
